// ControlText: the control as data: what it asks, why, how to test it, put it right and take it
// back. The command lines and console labels are exact; they are what a person types and clicks.
// Thread-safety: constants.
// Source: AWS KMS Developer Guide, "Rotate AWS KMS keys"; AWS CLI reference of kms; NIST SP 800-57.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace keyturn::report {

enum class BlockKind : std::uint8_t {
  kHeading,    // the one item is a heading below the section's
  kStep,       // the one item is the title of a step
  kParagraph,  // each item one paragraph
  kBullets,
  kNumbered,
  kCommands,  // each item one command line
};

struct ControlBlock {
  BlockKind kind;
  std::span<const std::string_view> items;
};

struct ControlSection {
  std::string_view id;  // JSON member name
  std::string_view title;
  std::span<const ControlBlock> blocks;
};

// ControlTitle: what the control is called in one line.
inline constexpr std::string_view kControlTitle =
    "Automatic key rotation is enabled for customer-managed KMS keys";

// ControlSections: in reading order.
std::span<const ControlSection> ControlSections();

struct ComplianceMapping {
  std::string_view framework;
  std::string_view references;
  std::string_view said_by;  // who maps it
};
std::span<const ComplianceMapping> ComplianceMappings();

}  // namespace keyturn::report
