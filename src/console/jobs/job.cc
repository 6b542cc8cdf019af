#include "console/jobs/job.h"

#include <array>

#include "base/uuid.h"
#include "control/evaluate.h"
#include "json/json.h"
#include "model/ids.h"

namespace keyturn::console {
namespace {

constexpr std::string_view kFormat = "keyturn-console-job";
constexpr std::int64_t kVersion = 1;
constexpr json::Limits kJobLimits{.bytes_max = 128 << 10, .depth_max = 8};
constexpr std::array<std::string_view, 3> kStateNames = {"open", "cancelled", "finished"};

struct CountMember {
  std::string_view name;
  std::uint64_t JobCounts::*member;
};
constexpr std::array<CountMember, 7> kCounts = {{{"keys", &JobCounts::keys},
                                                 {"done", &JobCounts::done},
                                                 {"unchanged", &JobCounts::unchanged},
                                                 {"refused", &JobCounts::refused},
                                                 {"failed", &JobCounts::failed},
                                                 {"pending", &JobCounts::pending},
                                                 {"verified", &JobCounts::verified}}};

Error Corrupt(std::string_view member) {
  return {ErrorCode::kCorrupt, "member '" + std::string(member) + "' is missing or wrong", {}};
}

Result<std::string> TextAt(const json::Value& object, std::string_view name) {
  const auto member = object.Find(name);
  const auto text = member ? member->AsString() : std::nullopt;
  if (!text) return Fail(Corrupt(name));
  return std::string(*text);
}

Result<TimePoint> TimeAt(const json::Value& object, std::string_view name) {
  KT_ASSIGN(const std::string text, TextAt(object, name));
  const auto time = ParseIso8601(text);
  if (!time) return Fail(Corrupt(name));
  return *time;
}

Result<control::RotationSetting> SettingAt(const json::Value& object, std::string_view name) {
  const auto member = object.Find(name);
  const auto enabled = member ? member->Find("enabled") : std::nullopt;
  if (!enabled || !enabled->AsBool()) return Fail(Corrupt(name));
  control::RotationSetting setting{*enabled->AsBool(), std::nullopt};
  if (const auto period = member->Find("period_days")) {
    const auto days = period->AsInt();
    if (!days || *days < control::kPeriodDaysMin || *days > control::kPeriodDaysMax) {
      return Fail(Corrupt(name));
    }
    setting.period_days = static_cast<int>(*days);
  }
  if (setting.enabled != setting.period_days.has_value()) return Fail(Corrupt(name));
  return setting;
}

Result<JobStep> ReadStep(const json::Value& object) {
  JobStep step;
  KT_ASSIGN(const std::string phase, TextAt(object, "phase"));
  const auto known = control::ParsePhase(phase);
  if (!known || *known == control::Phase::kVerify) return Fail(Corrupt("phase"));
  step.phase = *known;
  KT_ASSIGN(step.by, TextAt(object, "by"));
  KT_ASSIGN(step.justification, TextAt(object, "justification"));
  KT_ASSIGN(step.asked, TimeAt(object, "asked"));
  return step;
}

Result<std::vector<JobStep>> ReadSteps(const json::Value& root) {
  const auto list = root.Find("steps");
  if (!list || list->type() != json::Type::kArray || list->size() == 0 ||
      list->size() > kStepsMax) {
    return Fail(Corrupt("steps"));
  }
  std::vector<JobStep> steps;
  Status good;
  list->ForEachElement([&](std::size_t, json::Value each) {
    auto step = ReadStep(each);
    if (!step) {
      good = Fail(step.error());
      return false;
    }
    steps.push_back(std::move(*step));
    return true;
  });
  KT_TRY(good);
  return steps;
}

Status ReadCounts(const json::Value& root, JobCounts& counts) {
  const auto object = root.Find("counts");
  if (!object) return Fail(Corrupt("counts"));
  for (const CountMember& each : kCounts) {
    const auto member = object->Find(each.name);
    const auto number = member ? member->AsInt() : std::nullopt;
    if (!number || *number < 0) return Fail(Corrupt(each.name));
    counts.*each.member = static_cast<std::uint64_t>(*number);
  }
  return {};
}

}  // namespace

std::string JobText(const Job& job) {
  std::string text;
  json::Writer w(text, json::Writer::Style::kPretty);
  w.BeginObject().Key("format").String(kFormat).Key("version").Int(kVersion);
  w.Key("id").String(job.id).Key("account").String(job.account);
  w.Key("created").String(FormatIso8601Millis(job.created));
  w.Key("wanted").BeginObject().Key("enabled").Bool(job.wanted.enabled);
  if (job.wanted.period_days) w.Key("period_days").Int(*job.wanted.period_days);
  w.EndObject();
  w.Key("state").String(kStateNames.at(static_cast<std::size_t>(job.state)));
  w.Key("steps").BeginArray();
  for (const JobStep& step : job.steps) {
    w.BeginObject().Key("phase").String(control::PhaseName(step.phase));
    w.Key("by").String(step.by).Key("justification").String(step.justification);
    w.Key("asked").String(FormatIso8601Millis(step.asked)).EndObject();
  }
  w.EndArray().Key("counts").BeginObject();
  for (const CountMember& each : kCounts) {
    w.Key(each.name).Int(static_cast<std::int64_t>(job.counts.*each.member));
  }
  w.EndObject().EndObject();
  return text + "\n";
}

Result<Job> ParseJob(std::string_view text) {
  json::Parser parser(kJobLimits);
  const auto root = parser.Parse(text);
  if (!root) return Fail(ErrorCode::kCorrupt, root.error().message);
  KT_ASSIGN(const std::string format, TextAt(*root, "format"));
  const auto version = root->Find("version");
  if (format != kFormat || !version || !version->AsInt()) return Fail(Corrupt("format"));
  if (*version->AsInt() > kVersion) {
    return Fail(ErrorCode::kNewerFormat, "it was written by a newer version of keyturn");
  }
  Job job;
  KT_ASSIGN(job.id, TextAt(*root, "id"));
  if (!IsUuid(job.id)) return Fail(Corrupt("id"));
  KT_ASSIGN(job.account, TextAt(*root, "account"));
  KT_ASSIGN(job.created, TimeAt(*root, "created"));
  KT_ASSIGN(job.wanted, SettingAt(*root, "wanted"));
  KT_ASSIGN(const std::string state, TextAt(*root, "state"));
  std::size_t index = 0;
  while (index < kStateNames.size() && kStateNames.at(index) != state) ++index;
  if (index == kStateNames.size()) return Fail(Corrupt("state"));
  job.state = static_cast<JobState>(index);
  KT_ASSIGN(job.steps, ReadSteps(*root));
  KT_TRY(ReadCounts(*root, job.counts));
  return job;
}

}  // namespace keyturn::console
