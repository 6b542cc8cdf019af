// Change: one key's rotation setting, before and after, and what became of it. Shared by plan,
// journal, apply, verify and backout.
//
// Thread-safety: values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "control/code_owner.h"

namespace keyturn::control {

// RotationSetting: off, or on with a period. period_days is absent when the endpoint did not say.
struct RotationSetting {
  bool enabled = false;
  std::optional<int> period_days;
  bool operator==(const RotationSetting&) const = default;
};

// SettingText: "off", "on, every 365 days", "on".
std::string SettingText(const RotationSetting& setting);
// IsAs: seen is wanted, as far as the endpoint says.
bool IsAs(const RotationSetting& seen, const RotationSetting& wanted);

// KeyCondition: what must be true of a key for a change to be made.
struct KeyCondition {
  std::string key_state;  // "Enabled"
  RotationSetting rotation;
  std::optional<TimePoint> next_rotation_date;  // recorded, not compared
  std::string primary_region;                   // of a multi-Region key; else empty
};

struct PlannedChange {
  std::string endpoint_url;  // empty: AWS's own
  std::string arn;
  std::string account;
  std::string region;
  std::vector<std::string> aliases;
  std::string reason;  // of the finding
  KeyCondition before;
  RotationSetting wanted;          // of a plan always on, with its period; jobs turn off, too
  bool send_period = false;        // false: the endpoint's default is the wanted period
  std::optional<CodeOwner> owner;  // infrastructure code that the key belongs to
  std::string owner_unknown;       // why that is not known; empty: it is
};

enum class ChangeOutcome : std::uint8_t {
  kDone,       // acknowledged; verify, backout: the wanted state was seen
  kUnchanged,  // the key was in the wanted state already
  kRefused,    // left alone on purpose: drifted, or no longer as we wrote it
  kFailed,     // refused by the endpoint, no answer, or the wanted state was not seen
  kPending,    // not reached
};
// ChangeOutcomeName: "done", "unchanged", "refused", "failed", "pending".
std::string_view ChangeOutcomeName(ChangeOutcome outcome);
std::optional<ChangeOutcome> ParseChangeOutcome(std::string_view name);

struct ChangeLine {
  std::string endpoint_url;  // empty: AWS's own
  std::string arn;
  std::string account;
  std::string region;
  RotationSetting before;
  RotationSetting wanted;
  ChangeOutcome outcome = ChangeOutcome::kPending;
  std::string detail;  // why; empty when there is nothing to say
  std::string request_id;
};

enum class Phase : std::uint8_t { kApply, kVerify, kBackout };
// PhaseName: "apply", "verify", "backout".
std::string_view PhaseName(Phase phase);
std::optional<Phase> ParsePhase(std::string_view name);

// ChangeRecord: what one run of a phase did.
struct ChangeRecord {
  Phase phase = Phase::kApply;
  std::string journal;      // path
  std::string plan_sha256;  // hex
  std::string approval;     // of an apply: who approved, for people; empty: not recorded
  std::string reason;       // of a backout
  std::optional<TimePoint> started;
  std::optional<TimePoint> finished;
  bool cancelled = false;
  std::vector<ChangeLine> lines;
  // held_back: changes of the plan that this run was told not to reach; they are not in lines.
  std::uint64_t held_back = 0;
  std::vector<std::string> notes;

  std::uint64_t Count(ChangeOutcome outcome) const;
};

// ChangeExitCode: refused or failed beats pending beats done.
int ChangeExitCode(const ChangeRecord& record);

}  // namespace keyturn::control
