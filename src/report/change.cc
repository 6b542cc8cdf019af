#include "report/change.h"

#include <algorithm>

namespace keyturn::report {

std::string_view ChangeKindName(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::kPlan:
      return "plan";
    case ChangeKind::kApply:
      return "apply";
    case ChangeKind::kVerify:
      return "verify";
    case ChangeKind::kBackout:
      return "backout";
  }
  return "";
}

std::string_view OutcomeName(Outcome outcome) {
  switch (outcome) {
    case Outcome::kDone:
      return "done";
    case Outcome::kUnchanged:
      return "unchanged";
    case Outcome::kRefused:
      return "refused";
    case Outcome::kFailed:
      return "failed";
    case Outcome::kPending:
      return "pending";
  }
  return "";
}

std::uint64_t CountOutcome(const ChangeReport& report, Outcome outcome) {
  std::uint64_t count = 0;
  for (const auto& line : report.lines) {
    count += line.outcome == outcome ? 1 : 0;
  }
  return count;
}

bool Differs(const ChangeReport& report, std::string ChangeLine::*field) {
  return std::any_of(report.lines.begin(), report.lines.end(), [&](const ChangeLine& line) {
    return line.*field != report.lines.front().*field;
  });
}

}  // namespace keyturn::report
