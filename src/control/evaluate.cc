#include "control/evaluate.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "control/text.h"

namespace keyturn::control {
namespace {

Judgement Judge(int row, Verdict verdict, const std::string& reason, bool remediable = false) {
  Judgement judgement;
  judgement.verdict = verdict;
  judgement.raw_verdict = verdict;
  judgement.row = row;
  judgement.reason = reason;
  judgement.remediable = remediable;
  return judgement;
}

// FailureText says why a call failed, with the permission that is missing where one is.
std::string FailureText(const CallFailure& failure) {
  if (failure.error_code == "AccessDeniedException" || failure.error_code == "AccessDenied" ||
      failure.error_code == "NotAuthorizedException") {
    return "kms:" + failure.operation + " is denied" +
           (failure.message.empty() ? "" : ": " + failure.message);
  }
  return failure.operation + " failed with " + failure.error_code +
         (failure.message.empty() ? "" : ": " + failure.message);
}

// RetainedText: what a key that is not enabled keeps.
std::string RetainedText(const KeyFacts& facts) {
  if (!facts.rotation) return "its setting was not read";
  if (!facts.rotation->enabled) return "rotation is off";
  return facts.rotation->period_days
             ? "it keeps rotation every " + Counted(*facts.rotation->period_days, "day")
             : "it keeps rotation on";
}

std::string DayText(TimePoint time) { return FormatIso8601(time).substr(0, 10); }

// DaysSince: whole days, never less than none.
int DaysSince(TimePoint then, TimePoint now) {
  const auto days = (now - then) / Millis(std::chrono::hours(24));
  return static_cast<int>(std::clamp<std::int64_t>(days, 0, 1'000'000));
}

// OnDemandAge: days since the last rotation on demand.
std::optional<int> OnDemandAge(const KeyFacts& facts, const EvaluationPolicy& policy) {
  if (!facts.last_rotation_date || facts.last_rotation_type != "ON_DEMAND") return std::nullopt;
  return DaysSince(*facts.last_rotation_date, policy.at);
}

bool JudgesImported(const KeyFacts& facts, const EvaluationPolicy& policy) {
  return policy.judge_imported && facts.origin == "EXTERNAL";
}

// JudgeImported is row 6 where the policy judges imported keys: by their material's age. Only new
// material that somebody imports puts such a key right, so no plan may contain it.
Judgement JudgeImported(const KeyFacts& facts, const EvaluationPolicy& policy) {
  if (facts.rotations_failure)
    return Judge(6, Verdict::kUnknown, FailureText(*facts.rotations_failure));
  if (!facts.rotations_read) return Judge(6, Verdict::kUnknown, "its rotations were not read");
  const std::optional<TimePoint> since =
      facts.last_rotation_date ? facts.last_rotation_date : facts.creation_date;
  if (!since) return Judge(6, Verdict::kUnknown, "DescribeKey did not say when the key was made");
  const int age = DaysSince(*since, policy.at);
  const int max = policy.imported_max_age_days.value_or(policy.max_period_days);
  std::string reason = "imported key material, ";
  reason +=
      facts.last_rotation_date ? "last rotated on " : "never rotated since the key was made on ";
  reason += DayText(*since) + ", " + Counted(age, "day") + " ago";
  if (age <= max) return Judge(6, Verdict::kPass, reason);
  return Judge(6, Verdict::kFail, reason + ", longer than the maximum of " + std::to_string(max));
}

// JudgeOff is row 14: automatic rotation is off. A recent rotation on demand is told, and counts
// where the policy says so.
Judgement JudgeOff(const KeyFacts& facts, const EvaluationPolicy& policy) {
  std::string reason = "automatic rotation is off";
  const std::optional<int> age = OnDemandAge(facts, policy);
  if (age) {
    reason += "; rotated on demand on " + DayText(*facts.last_rotation_date);
  } else if (facts.rotation->on_demand_start_date) {
    reason += "; a rotation on demand is in progress";
  }
  if (!policy.on_demand_counts) return Judge(14, Verdict::kFail, reason, true);
  if (facts.rotations_failure) {
    return Judge(14, Verdict::kUnknown, reason + "; " + FailureText(*facts.rotations_failure));
  }
  if (!facts.rotations_read) {
    return Judge(14, Verdict::kUnknown, reason + "; its rotations were not read");
  }
  const int max = policy.on_demand_max_age_days.value_or(policy.max_period_days);
  if (age && *age <= max) {
    return Judge(
        14, Verdict::kPass,
        reason + ", " + Counted(*age, "day") + " ago, which counts for " + Counted(max, "day"));
  }
  if (age) reason += ", " + Counted(*age, "day") + " ago, which counted for " + Counted(max, "day");
  return Judge(14, Verdict::kFail, reason, true);
}

// JudgeSetting is rows 10 and 12 to 14: the setting itself.
Judgement JudgeSetting(const KeyFacts& facts, const EvaluationPolicy& policy) {
  if (JudgesImported(facts, policy)) return JudgeImported(facts, policy);
  if (facts.rotation_failure) {
    if (facts.rotation_failure->error_code == "NotFoundException") {
      return Judge(2, Verdict::kGone, "deleted while the audit ran");
    }
    return Judge(10, Verdict::kUnknown, FailureText(*facts.rotation_failure));
  }
  if (!facts.rotation) return Judge(10, Verdict::kUnknown, "the rotation status was not read");
  const RotationFacts& rotation = *facts.rotation;
  if (!rotation.enabled) return JudgeOff(facts, policy);
  if (!rotation.period_days) {
    return Judge(10, Verdict::kUnknown, "rotation is on, but the endpoint did not say the period");
  }
  const int period = *rotation.period_days;
  if (period > policy.max_period_days) {
    return Judge(13, Verdict::kFailPeriod,
                 "rotates every " + Counted(period, "day") + ", longer than the maximum of " +
                     std::to_string(policy.max_period_days),
                 true);
  }
  return Judge(12, Verdict::kPass, "rotates every " + Counted(period, "day"));
}

// JudgeKind is rows 1 to 6: what the key is; nullopt when automatic rotation is possible.
std::optional<Judgement> JudgeKind(const KeyFacts& facts, const EvaluationPolicy& policy) {
  if (facts.describe_failure) {
    if (facts.describe_failure->error_code == "NotFoundException") {
      return Judge(2, Verdict::kGone, "deleted while the audit ran");
    }
    return Judge(1, Verdict::kUnknown, FailureText(*facts.describe_failure));
  }
  if (facts.key_manager == "AWS") {
    return Judge(3, Verdict::kNotApplicable, "AWS managed: AWS rotates it every year");
  }
  const auto unsaid = [](const char* what) {
    return Judge(1, Verdict::kUnknown, std::string("DescribeKey did not say ") + what);
  };
  if (facts.key_manager.empty()) return unsaid("who manages the key");
  if (facts.key_manager != "CUSTOMER") {
    return Judge(1, Verdict::kUnknown, "unknown key manager " + facts.key_manager);
  }
  if (facts.key_spec.empty()) return unsaid("the key spec");
  if (facts.key_spec != "SYMMETRIC_DEFAULT") {
    return Judge(4, Verdict::kNotApplicable,
                 facts.key_spec + ": no automatic rotation exists; rotate by a new key and alias");
  }
  if (facts.origin.empty()) return unsaid("the origin");
  if (facts.origin == "AWS_CLOUDHSM" || facts.origin == "EXTERNAL_KEY_STORE") {
    return Judge(5, Verdict::kNotApplicable,
                 "in a custom key store (" + facts.origin + "): no automatic rotation exists");
  }
  if (JudgesImported(facts, policy)) return std::nullopt;
  if (facts.origin == "EXTERNAL") {
    return Judge(6, Verdict::kNotApplicable,
                 "imported key material: rotates on demand only, after new material is imported");
  }
  if (facts.origin != "AWS_KMS") {
    return Judge(1, Verdict::kUnknown, "unknown origin " + facts.origin);
  }
  return std::nullopt;
}

// JudgeState is rows 7 to 9; nullopt when the key is enabled.
std::optional<Judgement> JudgeState(const KeyFacts& facts, const EvaluationPolicy& policy) {
  const std::string& state = facts.key_state;
  if (state == "Enabled") return std::nullopt;
  if (state == "PendingDeletion" || state == "PendingReplicaDeletion") {
    return Judge(8, Verdict::kSkipped,
                 state + (facts.deletion_date
                              ? ", deleted on " + FormatIso8601(*facts.deletion_date).substr(0, 10)
                              : std::string()));
  }
  if (state == "Disabled") {
    if (!policy.strict_disabled) {
      return Judge(9, Verdict::kSkipped, "disabled; " + RetainedText(facts));
    }
    Judgement judgement = JudgeSetting(facts, policy);
    if (judgement.verdict == Verdict::kGone) return judgement;
    judgement.row = 9;
    judgement.reason = "disabled, judged by the setting it keeps: " + judgement.reason;
    judgement.remediable = false;
    return judgement;
  }
  if (state == "PendingImport" && facts.origin == "EXTERNAL") {
    return Judge(6, Verdict::kNotApplicable, "waits for key material to be imported");
  }
  if (state == "Creating" || state == "Updating") {
    return Judge(7, Verdict::kUnknown, "still " + state + " when the audit ended");
  }
  return Judge(7, Verdict::kUnknown,
               state.empty() ? "DescribeKey did not say the state" : "state " + state);
}

bool IsFailure(Verdict verdict) {
  return verdict == Verdict::kFail || verdict == Verdict::kFailPeriod;
}

// CouldBeJudged: what the policy's scope is asked about.
bool CouldBeJudged(Verdict verdict) {
  return verdict == Verdict::kPass || verdict == Verdict::kUnknown || IsFailure(verdict);
}

bool IsOutOfScope(const KeyFacts& facts, const EvaluationPolicy& policy) {
  return FindScope(policy.scope, facts).answer == ScopeAnswer::kOut;
}

// EvaluateUnscoped is EvaluateKey but for row 16.
Judgement EvaluateUnscoped(const KeyFacts& facts, const EvaluationPolicy& policy) {
  if (const auto judgement = JudgeKind(facts, policy)) return *judgement;
  if (const auto judgement = JudgeState(facts, policy)) return *judgement;
  Judgement judgement = JudgeSetting(facts, policy);
  if (facts.multi_region && facts.multi_region_type.empty()) {
    return Judge(1, Verdict::kUnknown, "DescribeKey did not say whether the key is a replica");
  }
  if (!IsReplica(facts) || judgement.verdict == Verdict::kGone) return judgement;
  judgement.row = 11;
  judgement.reason = "replica, judged by its own copy of the setting: " + judgement.reason;
  if (judgement.remediable) {
    judgement.remediable = false;
    judgement.reason += "; blocked: the primary in " +
                        (facts.primary_region.empty() ? "another region" : facts.primary_region) +
                        " is not in this audit";
  }
  return judgement;
}

void Except(KeyResult& key, const Exception& exception, TimePoint now) {
  Judgement& judgement = key.judgement;
  judgement.exception_id = exception.id;
  if (exception.ExpiredAt(now)) {
    judgement.reason += "; exception " + exception.id + " expired on " + exception.expires;
    return;
  }
  judgement.verdict = Verdict::kExcepted;
  judgement.row = 15;
  judgement.remediable = false;
  judgement.reason +=
      "; excepted by " + exception.id + " until " + exception.expires + ": " + exception.reason;
}

// Doubt: a valid exception may be about the key. To change it, or to call it a failure, would take
// for granted that it is not.
void Doubt(KeyResult& key, const Exception& exception) {
  Judgement& judgement = key.judgement;
  judgement.verdict = Verdict::kUnknown;
  judgement.row = 15;
  judgement.remediable = false;
  judgement.exception_id = exception.id;
  judgement.reason += "; whether exception " + exception.id + " is about it is not known (" +
                      UnreadText(exception.match, key.facts) + ")";
}

// ExceptionPass applies the exceptions to one key after the other and remembers which were used.
class ExceptionPass {
 public:
  ExceptionPass(const ExceptionList& list, TimePoint now)
      : list_(list), now_(now), matched_(list.entries.size(), false) {}

  // ApplyTo: of several that match, the first that is valid applies; the first at all when none is.
  // A valid one that may match comes before those that have expired.
  void ApplyTo(KeyResult& key) {
    const Exception* applies = nullptr;
    const Exception* first = nullptr;
    const Exception* maybe = nullptr;
    for (std::size_t i = 0; i < list_.entries.size(); ++i) {
      const Exception& entry = list_.entries[i];
      const Fit fit = FitOf(entry.match, key.facts, !key.facts.tags_failure);
      if (fit == Fit::kNo) continue;
      matched_[i] = true;
      if (fit == Fit::kMaybe) {
        if (maybe == nullptr && !entry.ExpiredAt(now_)) maybe = &entry;
        continue;
      }
      if (first != nullptr) overlaps_.emplace(first->id, entry.id);
      if (first == nullptr) first = &entry;
      if (applies == nullptr && !entry.ExpiredAt(now_)) applies = &entry;
    }
    if (!IsFailure(key.judgement.raw_verdict)) return;
    if (applies == nullptr && maybe != nullptr) return Doubt(key, *maybe);
    if (applies == nullptr) applies = first;
    if (applies != nullptr) Except(key, *applies, now_);
  }

  std::vector<ExceptionNote> Notes() const {
    std::vector<ExceptionNote> notes;
    for (std::size_t i = 0; i < list_.entries.size(); ++i) {
      const Exception& entry = list_.entries[i];
      if (entry.ExpiredAt(now_)) notes.push_back({entry.id, "expired on " + entry.expires});
      // Tags are read of failing keys only.
      const bool by_tag = !entry.match.tag_key.empty();
      if (!matched_[i]) {
        notes.push_back({entry.id, by_tag ? "matches no failing key" : "matches no key"});
      }
      for (const auto& [earlier, later] : overlaps_) {
        if (later == entry.id) notes.push_back({entry.id, "overlaps with " + earlier});
      }
    }
    return notes;
  }

 private:
  const ExceptionList& list_;
  const TimePoint now_;
  std::vector<bool> matched_;  // or may have
  std::set<std::pair<std::string, std::string>> overlaps_;
};

}  // namespace

bool IsReplica(const KeyFacts& facts) {
  return facts.multi_region && facts.multi_region_type == "REPLICA";
}

bool MayRotate(const KeyFacts& facts) {
  const std::string& state = facts.key_state;
  return !JudgeKind(facts, EvaluationPolicy{}) && (state == "Enabled" || state == "Disabled");
}

bool WantsRotations(const KeyFacts& facts, const EvaluationPolicy& policy) {
  const bool judged =
      facts.key_state == "Enabled" || (facts.key_state == "Disabled" && policy.strict_disabled);
  if (!judged || JudgeKind(facts, policy) || IsOutOfScope(facts, policy)) return false;
  if (JudgesImported(facts, policy)) return true;
  return policy.on_demand_counts && facts.rotation && !facts.rotation->enabled;
}

bool WantsScopeTags(const KeyFacts& facts, const EvaluationPolicy& policy) {
  return ScopeNeedsTags(policy.scope, facts) &&
         CouldBeJudged(EvaluateUnscoped(facts, policy).verdict);
}

Judgement EvaluateKey(const KeyFacts& facts, const EvaluationPolicy& policy) {
  Judgement judgement = EvaluateUnscoped(facts, policy);
  if (policy.scope.empty() || !CouldBeJudged(judgement.verdict)) return judgement;
  ScopeFinding scope = FindScope(policy.scope, facts);
  if (scope.answer == ScopeAnswer::kOut) {
    return Judge(16, Verdict::kNotApplicable, scope.reason);
  }
  if (scope.answer == ScopeAnswer::kUnknown && judgement.verdict != Verdict::kUnknown) {
    return Judge(16, Verdict::kUnknown, scope.reason);
  }
  return judgement;
}

Judgement FollowPrimary(const KeyFacts& replica, const KeyResult& primary,
                        const EvaluationPolicy& policy) {
  // A replica that is not enabled is judged by its own state, and one out of scope not at all.
  if (JudgeKind(replica, policy) || JudgeState(replica, policy) ||
      FindScope(policy.scope, replica).answer != ScopeAnswer::kIn) {
    return EvaluateKey(replica, policy);
  }
  const std::string& arn = primary.facts.arn;
  const Verdict verdict = primary.judgement.verdict;
  const bool judged =
      primary.facts.key_state == "Enabled" &&
      (verdict == Verdict::kPass || IsFailure(verdict) || primary.judgement.row == 15);
  if (judged) {
    Judgement judgement = primary.judgement;
    if (judgement.row != 15) judgement.row = 11;
    judgement.reason = "follows its primary " + arn + ": " + judgement.reason;
    judgement.remediable = false;
    judgement.follows_primary = true;
    return judgement;
  }
  const std::string why = primary.judgement.row == 16       ? "is not in the policy's scope"
                          : primary.facts.key_state.empty() ? "could not be read"
                                                            : "is " + primary.facts.key_state;
  Judgement judgement = JudgeSetting(replica, policy);
  if (judgement.verdict == Verdict::kGone) return judgement;
  if (judgement.verdict == Verdict::kPass && !primary.facts.key_state.empty() &&
      primary.facts.key_state != "Enabled") {
    // The setting is on, and nothing rotates.
    judgement = Judge(11, Verdict::kSkipped, judgement.reason);
  }
  judgement.row = 11;
  judgement.reason = "replica, judged by its own copy of the setting: " + judgement.reason;
  judgement.reason += judgement.remediable ? "; blocked: its primary " : "; its primary ";
  judgement.reason += arn + " " + why;
  judgement.remediable = false;
  return judgement;
}

std::vector<ExceptionNote> JudgeAll(std::vector<KeyResult>& keys, const EvaluationPolicy& policy,
                                    const ExceptionList& exceptions, TimePoint now) {
  ExceptionPass pass(exceptions, now);
  std::map<std::pair<std::string_view, std::string_view>, const KeyResult*> primaries;
  for (KeyResult& key : keys) {
    key.judgement = EvaluateKey(key.facts, policy);
    if (IsReplica(key.facts)) continue;
    pass.ApplyTo(key);
    if (key.facts.multi_region)
      primaries.emplace(
          std::pair<std::string_view, std::string_view>(key.facts.endpoint_url, key.facts.arn),
          &key);
  }
  for (KeyResult& key : keys) {
    if (!IsReplica(key.facts)) continue;
    const auto primary = primaries.find({key.facts.endpoint_url, key.facts.primary_arn});
    if (primary != primaries.end()) {
      key.judgement = FollowPrimary(key.facts, *primary->second, policy);
    }
    // What its primary's exception has settled is settled.
    if (key.judgement.verdict != Verdict::kExcepted) pass.ApplyTo(key);
  }
  return pass.Notes();
}

}  // namespace keyturn::control
