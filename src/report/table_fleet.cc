#include "report/table_fleet.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "report/text.h"

namespace keyturn::report {

using control::RegionStatus;
using control::Verdict;

constexpr std::size_t kFleetIndent = 2;

bool IsExcused(const RegionGroup& group) {
  return group.region != nullptr && group.region->excused && group.keys.empty();
}

void ShowExcused(const std::vector<RegionGroup>& groups, Canvas& canvas) {
  std::map<std::string, std::size_t> not_enabled;
  std::map<std::string, std::string> closed;
  for (const RegionGroup& group : groups) {
    if (!IsExcused(group)) continue;
    if (group.region->status == RegionStatus::kClosed) {
      closed[group.account] = group.region->detail;
    } else {
      ++not_enabled[group.name];
    }
  }
  if (!not_enabled.empty()) {
    std::string names;
    for (const auto& [name, accounts] : not_enabled) {
      names += fmt::format("{}{} ({})", names.empty() ? "" : ", ", canvas.Clean(name),
                           Thousands(accounts));
    }
    canvas.Paragraph(
        "Not enabled (in so many accounts), so there is nothing to scan: " + names + '.', 0,
        Ink::kDim);
    canvas.Line();
  }
  for (const auto& [account, detail] : closed) {
    canvas.Paragraph(fmt::format("{}: {}; nobody can call it, so there is nothing to scan.",
                                 canvas.Clean(account), canvas.Clean(detail)),
                     0, Ink::kDim);
  }
  if (!closed.empty()) canvas.Line();
}

void ShowWorstAccounts(const std::vector<RegionGroup>& groups, bool several_endpoints,
                       Canvas& canvas) {
  constexpr std::size_t kAccountsMin = 5;
  constexpr std::size_t kShownMax = 10;
  struct Sum {
    std::string name;
    std::uint64_t failing = 0;
    std::uint64_t keys = 0;
  };
  std::map<std::pair<std::string, std::string>, Sum> sums;
  for (const RegionGroup& group : groups) {
    Sum& sum = sums[{group.endpoint_url, group.account}];
    sum.name = canvas.Clean(group.account.empty() ? "account not known" : group.account);
    if (several_endpoints)
      sum.name += "  " + canvas.Clean(control::EndpointName(group.endpoint_url));
    sum.failing +=
        CountOf(group.counts, Verdict::kFail) + CountOf(group.counts, Verdict::kFailPeriod);
    sum.keys += group.keys.size();
  }
  if (sums.size() < kAccountsMin) return;
  std::vector<Sum> worst;
  for (auto& [account, sum] : sums) {
    if (sum.failing > 0) worst.push_back(std::move(sum));
  }
  if (worst.empty()) return;
  std::stable_sort(worst.begin(), worst.end(),
                   [](const Sum& a, const Sum& b) { return a.failing > b.failing; });
  canvas.Line(canvas.Paint(Ink::kBold, "Accounts with the most failing keys"));
  for (std::size_t i = 0; i < std::min(worst.size(), kShownMax); ++i) {
    canvas.Paragraph(fmt::format("{}  {} of {}", worst[i].name, Thousands(worst[i].failing),
                                 Counted(worst[i].keys, "key")),
                     kFleetIndent);
  }
  if (worst.size() > kShownMax) {
    canvas.Paragraph(fmt::format("{} and {} more with failing keys", canvas.glyphs().ellipsis,
                                 Counted(worst.size() - kShownMax, "account")),
                     kFleetIndent, Ink::kDim);
  }
  canvas.Line();
}

}  // namespace keyturn::report
