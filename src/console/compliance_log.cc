#include "console/compliance_log.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "json/json.h"
#include "service/files.h"

namespace keyturn::console {
namespace {

constexpr json::Limits kLineLimits{.bytes_max = 1024, .depth_max = 2};
constexpr std::size_t kDateBytes = 10;

std::uint64_t CountOf(const control::Totals& totals, control::Verdict verdict) {
  const auto found = totals.by_verdict.find(verdict);
  return found == totals.by_verdict.end() ? 0 : found->second;
}

std::optional<std::uint64_t> NumberAt(const json::Value& line, std::string_view name) {
  const auto member = line.Find(name);
  const auto number = member ? member->AsInt() : std::nullopt;
  if (!number || *number < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

std::optional<ComplianceDay> ParseDay(const json::Value& line) {
  const auto date = line.Find("date");
  const auto text = date ? date->AsString() : std::nullopt;
  const auto pass = NumberAt(line, "pass");
  const auto fail = NumberAt(line, "fail");
  const auto unknown = NumberAt(line, "unknown");
  if (!text || text->size() != kDateBytes || !ParseIso8601(*text) || !pass || !fail || !unknown) {
    return std::nullopt;
  }
  ComplianceDay day{std::string(*text), *pass, *fail, *unknown, std::nullopt};
  if (const auto percent = line.Find("percent")) {
    day.percent = percent->AsDouble();
    if (!day.percent || *day.percent < 0 || *day.percent > 100) return std::nullopt;
  }
  return day;
}

}  // namespace

ComplianceDay DayOf(const control::Totals& totals, TimePoint now) {
  using control::Verdict;
  ComplianceDay day;
  day.date = FormatIso8601(now).substr(0, kDateBytes);
  day.pass = CountOf(totals, Verdict::kPass);
  day.fail = CountOf(totals, Verdict::kFail) + CountOf(totals, Verdict::kFailPeriod);
  day.unknown = CountOf(totals, Verdict::kUnknown);
  day.percent = totals.compliance_percent;
  return day;
}

std::vector<ComplianceDay> ParseComplianceDays(std::string_view text) {
  std::vector<ComplianceDay> days;
  json::Parser parser(kLineLimits);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (const auto line = parser.Parse(text.substr(0, end))) {
      if (auto day = ParseDay(*line)) days.push_back(std::move(*day));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return days;
}

std::string ComplianceText(const std::vector<ComplianceDay>& days) {
  std::string text;
  for (const ComplianceDay& day : days) {
    json::Writer w(text);
    w.BeginObject().Key("date").String(day.date);
    w.Key("pass").Int(static_cast<std::int64_t>(day.pass));
    w.Key("fail").Int(static_cast<std::int64_t>(day.fail));
    w.Key("unknown").Int(static_cast<std::int64_t>(day.unknown));
    if (day.percent) w.Key("percent").Double(*day.percent);
    w.EndObject();
    text += '\n';
  }
  return text;
}

std::vector<ComplianceDay> ComplianceLog::ReadLocked(const std::string& account) const {
  const auto text = service::ReadSmallFile(directory_ / account);
  return text ? ParseComplianceDays(AsText(text->reveal())) : std::vector<ComplianceDay>();
}

std::vector<ComplianceDay> ComplianceLog::Read(const std::string& account) const {
  const std::scoped_lock lock(mutex_);
  return ReadLocked(account);
}

Status ComplianceLog::Note(const std::string& account, const ComplianceDay& day) {
  const std::scoped_lock lock(mutex_);
  std::vector<ComplianceDay> days = ReadLocked(account);
  if (!days.empty() && days.back() == day) return {};
  if (!days.empty() && days.back().date >= day.date) {
    // The clock went back, or the day goes on.
    if (days.back().date != day.date) return {};
    days.back() = day;
  } else {
    days.push_back(day);
  }
  if (days.size() > kDaysMax) {
    days.erase(days.begin(), days.end() - static_cast<std::ptrdiff_t>(kDaysMax));
  }
  if (::mkdir(directory_.c_str(), 0700) != 0 && errno != EEXIST) {
    return Fail(ErrorCode::kIo, "cannot create " + directory_.string() + ": " +
                                    std::error_code(errno, std::generic_category()).message());
  }
  return service::ReplaceFile(directory_ / account, ComplianceText(days));
}

}  // namespace keyturn::console
