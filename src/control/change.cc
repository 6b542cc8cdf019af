#include "control/change.h"

#include <algorithm>
#include <array>

#include "control/run.h"

namespace keyturn::control {
namespace {

constexpr std::array<std::string_view, 5> kOutcomeNames = {"done", "unchanged", "refused", "failed",
                                                           "pending"};
constexpr std::array<std::string_view, 3> kPhaseNames = {"apply", "verify", "backout"};

template <typename Enum, std::size_t N>
std::optional<Enum> Lookup(const std::array<std::string_view, N>& names, std::string_view name) {
  for (std::size_t i = 0; i < N; ++i) {
    if (names.at(i) == name) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace

std::string SettingText(const RotationSetting& setting) {
  if (!setting.enabled) return "off";
  return setting.period_days ? "on, every " + std::to_string(*setting.period_days) + " days" : "on";
}

bool IsAs(const RotationSetting& seen, const RotationSetting& wanted) {
  if (seen.enabled != wanted.enabled) return false;
  return !seen.enabled || !seen.period_days || !wanted.period_days ||
         seen.period_days == wanted.period_days;
}

std::string_view ChangeOutcomeName(ChangeOutcome outcome) {
  return kOutcomeNames.at(static_cast<std::size_t>(outcome));
}

std::optional<ChangeOutcome> ParseChangeOutcome(std::string_view name) {
  return Lookup<ChangeOutcome>(kOutcomeNames, name);
}

std::string_view PhaseName(Phase phase) { return kPhaseNames.at(static_cast<std::size_t>(phase)); }

std::optional<Phase> ParsePhase(std::string_view name) { return Lookup<Phase>(kPhaseNames, name); }

std::uint64_t ChangeRecord::Count(ChangeOutcome outcome) const {
  return static_cast<std::uint64_t>(
      std::count_if(lines.begin(), lines.end(),
                    [outcome](const ChangeLine& line) { return line.outcome == outcome; }));
}

int ChangeExitCode(const ChangeRecord& record) {
  if (record.Count(ChangeOutcome::kFailed) + record.Count(ChangeOutcome::kRefused) > 0) {
    return kExitChangeFailed;
  }
  const bool unfinished = record.cancelled || record.Count(ChangeOutcome::kPending) > 0;
  return unfinished ? kExitIncomplete : kExitCompliant;
}

}  // namespace keyturn::control
