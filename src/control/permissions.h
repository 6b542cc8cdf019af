// Permissions: what each phase of the control calls, and the least policy that allows it.
//
// Thread-safety: constants and pure functions.
// Source: AWS Service Authorization Reference, "Actions, resources, and condition keys for AWS Key
// Management Service": ListKeys and ListAliases have no resource.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace keyturn::control {

enum class PolicyPurpose : std::uint8_t { kAudit, kRemediate, kBackout };

// UnscopedActions, KeyActions: sorted, with "kms:". The first have the resource "*".
std::span<const std::string_view> UnscopedActions(PolicyPurpose purpose);
std::span<const std::string_view> KeyActions(PolicyPurpose purpose);

// SessionPolicy: what a role that is taken on for a phase may do at most, as a document of one
// line. kAudit may also ask which regions there are. kPreflight may write to no key that can
// rotate.
enum class SessionPurpose : std::uint8_t { kAudit, kApply, kVerify, kBackout, kPreflight };
std::string SessionPolicy(SessionPurpose purpose);

enum class PolicyFormat : std::uint8_t { kJson, kCloudFormation, kTerraform };

// PolicyDocument is the document alone, on one line.
std::string PolicyDocument(PolicyPurpose purpose);

// RenderPolicy: the document for people; a CloudFormation template of a role with it, for a
// StackSet over an organisation; or a Terraform policy. Ends with a newline.
std::string RenderPolicy(PolicyPurpose purpose, PolicyFormat format);

}  // namespace keyturn::control
