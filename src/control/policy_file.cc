#include "control/policy_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/hex.h"
#include "control/files.h"
#include "control/text.h"
#include "control/yaml_reader.h"
#include "crypto/digest.h"

namespace keyturn::control {
namespace {

constexpr std::size_t kPolicyBytesMax = 1 << 20;
constexpr std::size_t kAlsoJudgeMax = 8;
constexpr std::size_t kScopeMatchesMax = 10'000;
constexpr std::size_t kPolicyNameMax = 200;
constexpr int kPolicyVersion = 1;
constexpr int kHoursADay = 24;

class PolicyReader : private YamlReader {
 public:
  explicit PolicyReader(std::string_view place) : YamlReader(place) {}

  Status File(std::string_view text, PolicyFile& policy) const {
    KT_ASSIGN(const YamlNode root, Parse(text, {.bytes_max = kPolicyBytesMax}));
    KT_TRY(CheckHead(root, kPolicyVersion,
                     {"version", "name", "max_period_days", "also_judge", "disabled_keys",
                      "imported_keys", "on_demand_rotation", "scope", "exceptions", "watch"}));
    KT_TRY(OptionalText(root, "name", policy.name));
    if (policy.name.size() > kPolicyNameMax) return Wrong(*root.Find("name"), "'name' is too long");
    KT_TRY(Periods(root, policy));
    KT_TRY(Disabled(root, policy.evaluation));
    KT_TRY(Imported(root, policy.evaluation));
    KT_TRY(OnDemand(root, policy.evaluation));
    if (const YamlNode* const scope = root.Find("scope")) {
      KT_TRY(ScopeOf(*scope, policy.evaluation.scope));
    }
    KT_TRY(OptionalText(root, "exceptions", policy.exceptions_name));
    if (const YamlNode* const watch = root.Find("watch")) KT_TRY(Watch(*watch, policy.watch));
    return {};
  }

 private:
  Status Periods(const YamlNode& root, PolicyFile& policy) const {
    const YamlNode* const primary = root.Find("max_period_days");
    if (primary == nullptr) return Wrong(root, "'max_period_days' is missing");
    int& days = policy.evaluation.max_period_days;
    KT_TRY(IntOf(*primary, "max_period_days", kPeriodDaysMin, kPeriodDaysMax, days));
    const YamlNode* const others = root.Find("also_judge");
    if (others == nullptr) return {};
    if (!others->IsList() || others->items.size() > kAlsoJudgeMax) {
      return Wrong(*others, fmt::format("'also_judge' must be a list of at most {} numbers of days",
                                        kAlsoJudgeMax));
    }
    for (const YamlNode& item : others->items) {
      int other = 0;
      KT_TRY(IntOf(item, "also_judge", kPeriodDaysMin, kPeriodDaysMax, other));
      auto& known = policy.also_judge;
      if (other == days || std::find(known.begin(), known.end(), other) != known.end()) {
        return Wrong(item, fmt::format("{} days are judged already", other));
      }
      known.push_back(other);
    }
    std::sort(policy.also_judge.rbegin(), policy.also_judge.rend());
    return {};
  }

  Status Disabled(const YamlNode& root, EvaluationPolicy& policy) const {
    std::string text = "skip";
    KT_TRY(OptionalText(root, "disabled_keys", text));
    if (text != "skip" && text != "judge") {
      return Wrong(*root.Find("disabled_keys"), "'disabled_keys' must be skip or judge");
    }
    policy.strict_disabled = text == "judge";
    return {};
  }

  Status Imported(const YamlNode& root, EvaluationPolicy& policy) const {
    const YamlNode* const node = root.Find("imported_keys");
    if (node == nullptr) return {};
    if (!node->IsMap()) return Wrong(*node, "'imported_keys' must be a map with 'judge'");
    KT_TRY(OnlyFields(*node, {"judge", "max_age_days"}));
    KT_TRY(OptionalBool(*node, "judge", policy.judge_imported));
    return OptionalInt(*node, "max_age_days", 1, kAgeDaysMax, policy.imported_max_age_days);
  }

  Status OnDemand(const YamlNode& root, EvaluationPolicy& policy) const {
    const YamlNode* const node = root.Find("on_demand_rotation");
    if (node == nullptr) return {};
    if (!node->IsMap()) return Wrong(*node, "'on_demand_rotation' must be a map with 'counts'");
    KT_TRY(OnlyFields(*node, {"counts", "max_age_days"}));
    KT_TRY(OptionalBool(*node, "counts", policy.on_demand_counts));
    return OptionalInt(*node, "max_age_days", 1, kAgeDaysMax, policy.on_demand_max_age_days);
  }

  Status ScopeOf(const YamlNode& node, Scope& scope) const {
    if (!node.IsMap()) return Wrong(node, "'scope' must be a map with 'include' or 'exclude'");
    KT_TRY(OnlyFields(node, {"include", "exclude"}));
    KT_TRY(MatchesOf(node, "include", scope.include));
    return MatchesOf(node, "exclude", scope.exclude);
  }

  Status MatchesOf(const YamlNode& node, std::string_view name,
                   std::vector<ExceptionMatch>& out) const {
    const YamlNode* const list = node.Find(name);
    if (list == nullptr) return {};
    // An empty list of what is included would be about no key or about every key.
    if (!list->IsList() || list->items.empty() || list->items.size() > kScopeMatchesMax) {
      return Wrong(*list, fmt::format("'{}' must be a list with at least one match", name));
    }
    for (const YamlNode& item : list->items) KT_TRY(ReadMatch(*this, item, out.emplace_back()));
    return {};
  }

  Status Watch(const YamlNode& node, WatchBounds& bounds) const {
    if (!node.IsMap()) return Wrong(node, "'watch' must be a map with 'apply'");
    KT_TRY(OnlyFields(node, {"apply"}));
    const YamlNode* const apply = node.Find("apply");
    if (apply == nullptr) return {};
    if (!apply->IsMap()) return Wrong(*apply, "'apply' must be a map with 'enabled'");
    KT_TRY(OnlyFields(*apply, {"enabled", "keys_per_run_max", "keys_per_day_max",
                               "failing_keys_max", "failing_runs_min", "hours_utc"}));
    if (apply->Find("enabled") == nullptr) return Wrong(*apply, "'enabled' is missing");
    KT_TRY(OptionalBool(*apply, "enabled", bounds.apply));
    KT_TRY(Bound(*apply, "keys_per_run_max", 1, 100'000, bounds.keys_per_run_max));
    KT_TRY(Bound(*apply, "keys_per_day_max", 1, 1'000'000, bounds.keys_per_day_max));
    KT_TRY(Bound(*apply, "failing_keys_max", 1, 1'000'000, bounds.failing_keys_max));
    KT_TRY(Bound(*apply, "failing_runs_min", 1, 1'000, bounds.failing_runs_min));
    const YamlNode* const hours = apply->Find("hours_utc");
    if (hours == nullptr) return {};
    if (!hours->IsList() || hours->items.size() != 2) {
      return Wrong(*hours, "'hours_utc' must be two hours, as [2, 5]");
    }
    KT_TRY(IntOf(hours->items[0], "hours_utc", 0, kHoursADay - 1, bounds.from_hour));
    KT_TRY(IntOf(hours->items[1], "hours_utc", 1, kHoursADay, bounds.to_hour));
    if (bounds.from_hour != bounds.to_hour) return {};
    return Wrong(*hours, "'hours_utc' must be two different hours");
  }

  Status Bound(const YamlNode& map, std::string_view name, int min, int max, int& out) const {
    const YamlNode* const node = map.Find(name);
    return node == nullptr ? Status{} : IntOf(*node, name, min, max, out);
  }
};

void DescribeScope(const Scope& scope, std::vector<std::string>& rules) {
  const auto add = [&rules](std::string_view word, const std::vector<ExceptionMatch>& matches) {
    if (matches.empty()) return;
    constexpr std::size_t kNamedMax = 5;
    std::string text(word);
    for (std::size_t i = 0; i < std::min(matches.size(), kNamedMax); ++i) {
      text += (i == 0 ? " " : "; ") + DescribeMatch(matches[i]);
    }
    if (matches.size() > kNamedMax) {
      text += fmt::format("; and {} more", matches.size() - kNamedMax);
    }
    rules.push_back(std::move(text));
  };
  add("only keys with", scope.include);
  add("no keys with", scope.exclude);
}

}  // namespace

bool WatchBounds::MayApplyAt(TimePoint now) const {
  const auto since = std::chrono::duration_cast<std::chrono::hours>(now.time_since_epoch()).count();
  const auto hour = static_cast<int>(((since % kHoursADay) + kHoursADay) % kHoursADay);
  return from_hour < to_hour ? hour >= from_hour && hour < to_hour
                             : hour >= from_hour || hour < to_hour;
}

std::vector<std::string> PolicyFile::Rules() const {
  std::vector<std::string> rules;
  if (evaluation.strict_disabled) rules.emplace_back("disabled keys are judged");
  if (evaluation.judge_imported) {
    rules.push_back(
        "imported key material is rotated on demand at least every " +
        Counted(evaluation.imported_max_age_days.value_or(evaluation.max_period_days), "day"));
  }
  if (evaluation.on_demand_counts) {
    rules.push_back(
        "a rotation on demand counts for " +
        Counted(evaluation.on_demand_max_age_days.value_or(evaluation.max_period_days), "day"));
  }
  DescribeScope(evaluation.scope, rules);
  return rules;
}

void PolicyFile::Fill(AuditOptions& options) const {
  options.policy = evaluation;
  options.also_judge = also_judge;
  options.policy_record = {name, sha256, Rules()};
}

Result<PolicyFile> ParsePolicyFile(std::string_view text, std::string_view place) {
  PolicyFile policy;
  policy.place = place;
  policy.sha256 = HexEncode(crypto::Sha256(AsBytes(text)));
  KT_TRY(PolicyReader(place).File(text, policy));
  if (!policy.exceptions_name.empty()) {
    // As it is found from the policy file, wherever the command runs.
    policy.exceptions_path =
        (std::filesystem::path(place).parent_path() / policy.exceptions_name).string();
  }
  return policy;
}

Result<PolicyFile> ReadPolicyFile(const std::string& path) {
  KT_ASSIGN(const std::string text, ReadWholeFile(path, kPolicyBytesMax));
  return ParsePolicyFile(text, path);
}

}  // namespace keyturn::control
