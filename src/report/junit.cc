// JUnit XML: a suite a region, a case a key, for build servers.
// Source: the schema that Jenkins, GitLab and GitHub's test reporters read (testsuites, testsuite,
// testcase, failure, error, skipped).
#include <fmt/format.h>

#include "report/report.h"
#include "report/summary.h"
#include "report/text.h"

namespace keyturn::report {
namespace {

using control::AuditRun;
using control::KeyResult;
using control::RegionStatus;
using control::Verdict;

// Xml escapes for text and attributes; characters that XML 1.0 forbids are replaced.
std::string Xml(std::string_view text) {
  std::string out;
  for (const char c : Harmless(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

// Tally of a suite. A region that was not scanned is a case of its own, with an error.
struct Tally {
  std::uint64_t tests = 0;
  std::uint64_t failures = 0;
  std::uint64_t errors = 0;
  std::uint64_t skipped = 0;

  void Add(const Tally& other) {
    tests += other.tests;
    failures += other.failures;
    errors += other.errors;
    skipped += other.skipped;
  }
  std::string Attributes() const {
    return fmt::format(R"(tests="{}" failures="{}" errors="{}" skipped="{}")", tests, failures,
                       errors, skipped);
  }
};

bool IsScanned(const RegionGroup& group) {
  return group.region == nullptr || group.region->status == RegionStatus::kScanned;
}
bool IsGap(const RegionGroup& group) { return group.region != nullptr && group.region->IsGap(); }

Tally TallyOf(const RegionGroup& group) {
  Tally tally;
  tally.tests = group.keys.size() + (IsScanned(group) ? 0 : 1);
  tally.failures =
      CountOf(group.counts, Verdict::kFail) + CountOf(group.counts, Verdict::kFailPeriod);
  tally.errors = CountOf(group.counts, Verdict::kUnknown) + (IsGap(group) ? 1 : 0);
  tally.skipped =
      tally.tests - CountOf(group.counts, Verdict::kPass) - tally.failures - tally.errors;
  return tally;
}

void AppendOutcome(const KeyResult& key, const AuditRun& run, std::string& out) {
  const Verdict verdict = key.judgement.verdict;
  const std::string name(control::VerdictName(verdict));
  const std::string reason = Xml(key.judgement.reason);
  if (verdict == Verdict::kFail || verdict == Verdict::kFailPeriod) {
    out += fmt::format("      <failure type=\"{}\" message=\"{}\">{}</failure>\n", name, reason,
                       Xml(RemediationCommand(key, run)));
  } else if (verdict == Verdict::kUnknown) {
    out += fmt::format("      <error type=\"{}\" message=\"{}\"/>\n", name, reason);
  } else {
    out += fmt::format("      <skipped message=\"{}: {}\"/>\n", name, reason);
  }
}

void AppendCase(const KeyResult& key, const AuditRun& run, std::string& out) {
  const auto& facts = key.facts;
  std::string name = facts.key_id;
  if (!facts.aliases.empty()) name += " (" + facts.aliases.front() + ")";
  out += fmt::format("    <testcase classname=\"{}.{}\" name=\"{}\"", Xml(facts.account),
                     Xml(facts.region), Xml(name));
  if (key.judgement.verdict == Verdict::kPass) {
    out += "/>\n";
    return;
  }
  out += ">\n";
  AppendOutcome(key, run, out);
  out += "    </testcase>\n";
}

void AppendSuite(const RegionGroup& group, const AuditRun& run, std::string& out) {
  out += fmt::format("  <testsuite name=\"{} {}\" {} timestamp=\"{}\">\n", Xml(group.account),
                     Xml(group.name), TallyOf(group).Attributes(), FormatIso8601(run.started));
  if (!IsScanned(group)) {
    out += fmt::format("    <testcase classname=\"{}.{}\" name=\"region\">\n", Xml(group.account),
                       Xml(group.name));
    const std::string_view status = control::RegionStatusName(group.region->status);
    out += IsGap(group) ? fmt::format("      <error type=\"{}\" message=\"{}\"/>\n", status,
                                      Xml(group.region->detail))
                        : fmt::format("      <skipped message=\"{}: {}\"/>\n", status,
                                      Xml(group.region->detail));
    out += "    </testcase>\n";
  }
  for (const KeyResult* key : group.keys) AppendCase(*key, run, out);
  out += "  </testsuite>\n";
}

}  // namespace

std::string RenderJunit(const AuditRun& run) {
  const auto groups = GroupByRegion(run);
  Tally all;
  for (const auto& group : groups) all.Add(TallyOf(group));
  constexpr double kMillis = 1000.0;
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  out +=
      fmt::format("<testsuites name=\"KMS key rotation\" {} time=\"{:.3f}\">\n", all.Attributes(),
                  static_cast<double>((run.finished - run.started).count()) / kMillis);
  for (const auto& group : groups) AppendSuite(group, run, out);
  out += "</testsuites>\n";
  return out;
}

}  // namespace keyturn::report
