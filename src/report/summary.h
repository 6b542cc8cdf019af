// Summary: what a run says, in words and in the order that all formats share.
// Thread-safety: pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "control/run.h"

namespace keyturn::report {

// kVerdictOrder: what a reader must act on comes first.
inline constexpr std::array<control::Verdict, control::kVerdictCount> kVerdictOrder = {
    control::Verdict::kFail,          control::Verdict::kFailPeriod, control::Verdict::kUnknown,
    control::Verdict::kExcepted,      control::Verdict::kSkipped,    control::Verdict::kGone,
    control::Verdict::kNotApplicable, control::Verdict::kPass};

// VerdictWords: "pass", "fail", "fail (period)", "not applicable", ... for running text.
std::string_view VerdictWords(control::Verdict verdict);
// VerdictMeaning: one sentence that explains the verdict to a reader of the report.
std::string_view VerdictMeaning(control::Verdict verdict);

// RemediationCommand is the AWS CLI line that fixes a key; empty when none does. A multi-Region
// replica is fixed at its primary.
std::string RemediationCommand(const control::KeyResult& key, const control::AuditRun& run);
// PlanCommand is the keyturn line that plans the changes for the run.
std::string PlanCommand(const control::AuditRun& run);

// VerdictCounts counts by verdict, indexed by static_cast<size_t>(verdict).
using VerdictCounts = std::array<std::uint64_t, control::kVerdictCount>;
inline std::uint64_t CountOf(const VerdictCounts& counts, control::Verdict verdict) {
  return counts[static_cast<std::size_t>(verdict)];
}

// RegionGroup: the keys of one region of one account on one endpoint, in verdict order, then ARN.
struct RegionGroup {
  const control::RegionResult* region = nullptr;  // null: keys of a region that is not recorded
  std::string endpoint_url;                       // empty: AWS's own
  std::string account;
  std::string name;
  VerdictCounts counts{};
  std::vector<const control::KeyResult*> keys;
};
// GroupByRegion: every recorded region, in the record's order, with its keys. A region without an
// account takes the keys of its name.
std::vector<RegionGroup> GroupByRegion(const control::AuditRun& run);

// HasSeveralEndpoints: a reader must be told which of them a key is on.
bool HasSeveralEndpoints(const control::AuditRun& run);
// HasSeveralTargets: or on which account; one set of credentials would not do.
bool HasSeveralTargets(const control::AuditRun& run);

// Answer: what the run says as a whole. A failure is one even in an incomplete run; no failure in
// an incomplete run proves nothing.
enum class Answer : std::uint8_t { kCompliant, kNotCompliant, kIncomplete };
Answer AnswerOf(const control::AuditRun& run);
// AnswerTitle: "Compliant", "Not compliant", "Not compliant, and incomplete", "Incomplete".
std::string AnswerTitle(const control::AuditRun& run);
// AnswerSentence: how many keys of how many, and what could not be judged.
std::string AnswerSentence(const control::AuditRun& run);

}  // namespace keyturn::report
