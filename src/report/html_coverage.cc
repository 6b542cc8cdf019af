// Coverage: every account and region that was asked for, and what became of it.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "report/html_parts.h"
#include "report/text.h"

namespace keyturn::report {
namespace {

using control::AuditRun;
using control::RegionStatus;
using control::Verdict;

// A table longer than this is folded up below its matrix.
constexpr std::size_t kOpenRowsMax = 40;

using Account = std::pair<std::string, std::string>;  // endpoint, account

// Places: the rows and columns of the matrix, in the record's order, and what is where.
struct Places {
  std::vector<Account> accounts;
  std::set<std::string> regions;
  std::map<std::pair<Account, std::string>, const RegionGroup*> at;
  bool several_endpoints = false;
  bool IsMatrix() const { return accounts.size() > 1 && regions.size() > 1; }
};

std::string EndpointOf(const RegionGroup& group) {
  if (group.region != nullptr) return group.region->endpoint_url;
  return group.keys.empty() ? "" : std::string(group.keys.front()->facts.endpoint_url);
}

Places PlacesOf(const std::vector<RegionGroup>& groups) {
  Places places;
  std::set<Account> seen;
  std::set<std::string> endpoints;
  for (const RegionGroup& group : groups) {
    const Account account(EndpointOf(group), group.account);
    endpoints.insert(account.first);
    // A region whose account no call told has its row in the table only.
    if (account.second.empty()) continue;
    if (seen.insert(account).second) places.accounts.push_back(account);
    places.regions.insert(group.name);
    places.at.emplace(std::pair(account, group.name), &group);
  }
  places.several_endpoints = endpoints.size() > 1;
  return places;
}

std::string AccountCell(const Account& account, const Places& places) {
  std::string cell = Esc(account.second);
  if (places.several_endpoints) {
    cell += "<span class=\"desc\">" + Esc(control::EndpointName(account.first)) + "</span>";
  }
  return cell;
}

// Square: what one cell of the matrix shows, and the same in words.
struct Square {
  std::string_view tone;
  std::string sign;
  std::string words;
};

Square SquareOf(const RegionGroup& group) {
  if (group.region == nullptr) return {"v-unknown", "!", "not recorded"};
  const std::string status(control::RegionStatusName(group.region->status));
  if (group.region->IsGap()) return {"v-unknown", "!", status};
  if (group.region->status == RegionStatus::kClosed) {
    return {"v-not-applicable", "\xc3\x97", status};
  }
  if (group.region->excused) return {"v-not-applicable", "\xe2\x80\x93", status};
  const std::string of = " of " + Counted(group.keys.size(), "key");
  const std::uint64_t failing =
      CountOf(group.counts, Verdict::kFail) + CountOf(group.counts, Verdict::kFailPeriod);
  if (failing > 0) return {"v-fail", Thousands(failing), Thousands(failing) + of + " failing"};
  const std::uint64_t unknown = CountOf(group.counts, Verdict::kUnknown);
  if (unknown > 0) return {"v-unknown", "?", Thousands(unknown) + of + " not judged"};
  const std::uint64_t excepted = CountOf(group.counts, Verdict::kExcepted);
  if (excepted > 0)
    return {"v-excepted", "(" + Thousands(excepted) + ")", Thousands(excepted) + of + " excepted"};
  if (CountOf(group.counts, Verdict::kPass) == 0) {
    return {"v-not-applicable", "0", "nothing to judge" + of};
  }
  return {"v-pass", "\xe2\x9c\x93",
          Thousands(CountOf(group.counts, Verdict::kPass)) + of + " passing, none failing"};
}

std::string Matrix(const Places& places, std::size_t rows_max) {
  constexpr std::size_t kMatrixRows = 40;
  std::string out = "<div class=\"";
  out += ScrollClass(std::min(places.accounts.size(), rows_max), kMatrixRows);
  out +=
      "\" tabindex=\"0\" role=\"group\" aria-label=\"Matrix of accounts and "
      "regions\"><table class=\"matrix\"><thead><tr><th scope=\"col\">Account</th>";
  for (const std::string& region : places.regions) {
    out += "<th scope=\"col\"><span>" + Esc(region) + "</span></th>";
  }
  out += "</tr></thead><tbody>\n";
  for (std::size_t i = 0; i < std::min(places.accounts.size(), rows_max); ++i) {
    const Account& account = places.accounts[i];
    out += "<tr><th scope=\"row\">" + AccountCell(account, places) + "</th>";
    for (const std::string& region : places.regions) {
      const auto found = places.at.find({account, region});
      if (found == places.at.end()) {
        out += "<td><span class=\"sr\">not asked</span></td>";
        continue;
      }
      const Square square = SquareOf(*found->second);
      out += fmt::format(
          "<td class=\"{}\" title=\"{}\"><span aria-hidden=\"true\">{}</span><span "
          "class=\"sr\">{}</span></td>",
          square.tone, Esc(square.words), square.sign, Esc(square.words));
    }
    out += "</tr>\n";
  }
  out += "</tbody></table></div>\n";
  out +=
      "<p class=\"lead key\">A number: keys that fail. <b>?</b> a key that could not be judged. "
      "<b>!</b> not scanned. <b>(1)</b> failures that are accepted. <b>\xe2\x9c\x93</b> all that "
      "can rotate do. <b>0</b> nothing to judge. <b>\xe2\x80\x93</b> region not enabled. "
      "<b>\xc3\x97</b> account closed. Empty: not asked.";
  if (places.accounts.size() > rows_max) {
    out += fmt::format(" {} more accounts are in the CSV and JSON reports.",
                       Thousands(places.accounts.size() - rows_max));
  }
  return out + "</p>\n";
}

std::string StatusCell(const RegionGroup& group) {
  if (group.region == nullptr) return "not recorded";
  std::string cell = group.region->status == RegionStatus::kScanned
                         ? "<span class=\"badge v-pass\">scanned</span>"
                         : fmt::format("<span class=\"badge {}\">{}</span>",
                                       group.region->IsGap() ? "v-unknown" : "v-not-applicable",
                                       control::RegionStatusName(group.region->status));
  if (!group.region->detail.empty()) {
    cell += "<span class=\"desc\">" + Esc(group.region->detail) + "</span>";
  }
  return cell;
}

std::string Table(const AuditRun& run, const std::vector<RegionGroup>& groups, const Places& places,
                  std::size_t rows_max) {
  std::vector<Verdict> columns;
  for (const Verdict verdict : kVerdictOrder) {
    const auto found = run.totals.by_verdict.find(verdict);
    if (found != run.totals.by_verdict.end() && found->second > 0) columns.push_back(verdict);
  }
  std::string out = "<div class=\"";
  out += ScrollClass(std::min(groups.size(), rows_max));
  out +=
      "\" tabindex=\"0\" role=\"group\" aria-labelledby=\"coverage-h\">"
      "<table class=\"tight\"><thead><tr><th scope=\"col\">Region</th><th "
      "scope=\"col\">Account</th>"
      "<th scope=\"col\">Status</th><th scope=\"col\" class=\"num\">Listed</th>";
  for (const Verdict verdict : columns) {
    out += fmt::format("<th scope=\"col\" class=\"num\">{}</th>", VerdictWords(verdict));
  }
  out += "</tr></thead><tbody>\n";
  for (std::size_t i = 0; i < std::min(groups.size(), rows_max); ++i) {
    const RegionGroup& group = groups[i];
    out += fmt::format(
        "<tr><th scope=\"row\" class=\"nw\">{}</th><td>{}</td><td class=\"wide\">{}</td>"
        "<td class=\"num\">{}</td>",
        Esc(group.name), AccountCell({EndpointOf(group), group.account}, places), StatusCell(group),
        Thousands(group.keys.size()));
    for (const Verdict verdict : columns) {
      out += fmt::format("<td class=\"num\">{}</td>", Thousands(CountOf(group.counts, verdict)));
    }
    out += "</tr>\n";
  }
  if (groups.size() > rows_max) {
    out += fmt::format("<tr><td colspan=\"{}\">{} more; the JSON report has them all.</td></tr>\n",
                       columns.size() + 4, Thousands(groups.size() - rows_max));
  }
  return out + "</tbody></table></div>";
}

}  // namespace

std::string CoverageSection(const AuditRun& run, const std::vector<RegionGroup>& groups,
                            std::size_t rows_max) {
  const Places places = PlacesOf(groups);
  std::string out = SectionHead(
      "coverage", "Coverage",
      "Every region that was asked for, and what became of it. In each row the verdicts add up to "
      "the keys listed: no key is left out.");
  std::string table = Table(run, groups, places, rows_max);
  if (!places.IsMatrix()) return out + table + "</section>\n";
  out += Matrix(places, rows_max);
  if (groups.size() > kOpenRowsMax) {
    table = fmt::format("<details><summary>All {} accounts and regions</summary>\n{}</details>",
                        Thousands(groups.size()), table);
  }
  return out + table + "</section>\n";
}

}  // namespace keyturn::report
