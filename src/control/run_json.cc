#include "control/run_json.h"

#include <filesystem>
#include <optional>

#include "control/evidence.h"
#include "control/files.h"
#include "json/json.h"

namespace keyturn::control {
namespace {

using json::Value;

constexpr std::size_t kTextBytesMax = 1UL << 30;
constexpr std::size_t kKeysMax = 1'000'000;
constexpr std::size_t kStringBytesMax = 1 << 16;
constexpr std::size_t kListMax = 10'000;

// Reader remembers the first thing that is wrong, and where; after it values are of no use.
class Reader {
 public:
  explicit Reader(std::string_view place) : place_(place) {}

  bool failed() const { return failed_; }
  Error error() const { return {ErrorCode::kUsage, message_, {}}; }

  void Wrong(std::string_view what) {
    if (failed_) return;
    failed_ = true;
    message_ = std::string(place_) + ": " + (path_.empty() ? "" : path_ + ": ") + std::string(what);
  }

  // Within runs read with a member's name added to the path.
  template <typename Read>
  void Within(const std::string& name, const Read& read) {
    if (failed_) return;
    const std::size_t before = path_.size();
    path_ += (path_.empty() || name.starts_with('[') ? "" : ".") + name;
    read();
    path_.resize(before);
  }

  // Member: nullopt and wrong when it is not there; null members are there.
  std::optional<Value> Member(const Value& object, std::string_view name) {
    if (failed_) return std::nullopt;
    auto member = object.Find(name);
    if (!member) Wrong("'" + std::string(name) + "' is missing");
    return member;
  }

  std::string TextOf(const Value& value) {
    const auto text = value.AsString();
    if (!text) {
      Wrong("is no string");
    } else if (text->size() > kStringBytesMax) {
      Wrong("is too long");
    } else {
      return std::string(*text);
    }
    return {};
  }

  std::string Text(const Value& object, std::string_view name) {
    return Get<std::string>(object, name, [this](const Value& value) { return TextOf(value); });
  }
  // OptionalText: null, and a member that came later in the format, are empty.
  std::string OptionalText(const Value& object, std::string_view name) {
    const auto member = object.Find(name);
    return !member || member->is_null() ? std::string() : Text(object, name);
  }
  bool Bool(const Value& object, std::string_view name) {
    return Get<bool>(object, name, [this](const Value& value) {
      const auto bit = value.AsBool();
      if (!bit) Wrong("is neither true nor false");
      return bit.value_or(false);
    });
  }
  bool OptionalBool(const Value& object, std::string_view name) {
    return object.Find(name) ? Bool(object, name) : false;
  }
  std::int64_t Int(const Value& object, std::string_view name, std::int64_t min, std::int64_t max) {
    return Get<std::int64_t>(object, name, [&](const Value& value) {
      const auto number = value.AsInt();
      if (!number || *number < min || *number > max) Wrong("is no number that fits");
      return number.value_or(0);
    });
  }
  std::uint64_t Count(const Value& object, std::string_view name) {
    return static_cast<std::uint64_t>(Int(object, name, 0, std::int64_t{1} << 53));
  }
  // OptionalDouble: of 0 to 100.
  std::optional<double> OptionalDouble(const Value& object, std::string_view name) {
    const auto member = Member(object, name);
    if (!member || member->is_null()) return std::nullopt;
    const auto number = member->AsDouble();
    if (!number || !(*number >= 0 && *number <= 100))
      Wrong("'" + std::string(name) + "' does not fit");
    return number;
  }
  TimePoint Time(const Value& object, std::string_view name) {
    return Get<TimePoint>(object, name, [this](const Value& value) { return TimeOf(value); });
  }
  std::optional<TimePoint> OptionalTime(const Value& object, std::string_view name) {
    const auto member = Member(object, name);
    if (!member || member->is_null()) return std::nullopt;
    return Time(object, name);
  }
  Verdict VerdictOf(const Value& object, std::string_view name) {
    return Get<Verdict>(object, name, [this](const Value& value) {
      const auto verdict = ParseVerdict(TextOf(value));
      if (!verdict) Wrong("is no verdict");
      return verdict.value_or(Verdict::kUnknown);
    });
  }

  // Each runs read for every element of a list that may be so long.
  template <typename Read>
  void Each(const Value& object, std::string_view name, std::size_t max, const Read& read) {
    const auto list = Member(object, name);
    if (!list) return;
    Within(std::string(name), [&] {
      if (list->type() != json::Type::kArray) return Wrong("is no list");
      if (list->size() > max) return Wrong("is too long");
      list->ForEachElement([&](std::size_t index, Value element) {
        Within("[" + std::to_string(index) + "]", [&] { read(element); });
        return !failed_;
      });
    });
  }
  std::vector<std::string> Texts(const Value& object, std::string_view name) {
    std::vector<std::string> texts;
    Each(object, name, kListMax, [&](const Value& value) { texts.push_back(TextOf(value)); });
    return texts;
  }
  // Object runs read for a member that is an object, and not for null.
  template <typename Read>
  void Object(const Value& object, std::string_view name, const Read& read) {
    const auto member = Member(object, name);
    if (!member || member->is_null()) return;
    Within(std::string(name), [&] {
      if (member->type() != json::Type::kObject) return Wrong("is no object");
      read(*member);
    });
  }

 private:
  template <typename T, typename Read>
  T Get(const Value& object, std::string_view name, const Read& read) {
    T result{};
    const auto member = Member(object, name);
    if (member) Within(std::string(name), [&] { result = read(*member); });
    return result;
  }
  TimePoint TimeOf(const Value& value) {
    const auto text = value.AsString();
    const auto time = text ? ParseIso8601(*text) : std::nullopt;
    if (!time) Wrong("is no time");
    return time.value_or(TimePoint());
  }

  const std::string_view place_;
  std::string path_;
  std::string message_;
  bool failed_ = false;
};

std::string EndpointUrl(Reader& reader, const Value& object, const AuditRun& run) {
  // Runs of before there were several endpoints have it once.
  const std::string name = object.Find("endpoint") ? reader.Text(object, "endpoint") : run.endpoint;
  return name == "AWS" ? std::string() : name;
}

Rare<CallFailure> Failure(Reader& reader, const Value& object, std::string_view name) {
  Rare<CallFailure> failure;
  reader.Object(object, name, [&](const Value& value) {
    failure = CallFailure{reader.Text(value, "operation"), reader.Text(value, "code"),
                          reader.Text(value, "message"), reader.OptionalText(value, "request_id")};
  });
  return failure;
}

void ReadRotation(Reader& reader, const Value& object, KeyFacts& facts) {
  reader.Object(object, "rotation", [&](const Value& value) {
    RotationFacts rotation;
    rotation.enabled = reader.Bool(value, "enabled");
    const auto period = reader.Member(value, "period_days");
    if (period && !period->is_null()) {
      rotation.period_days = static_cast<int>(reader.Int(value, "period_days", 1, 1'000'000));
    }
    rotation.next_rotation_date = reader.OptionalTime(value, "next_rotation_date");
    rotation.on_demand_start_date = reader.OptionalTime(value, "on_demand_start_date");
    facts.rotation = rotation;
  });
  reader.Object(object, "last_rotation", [&](const Value& value) {
    facts.last_rotation_date = reader.OptionalTime(value, "date");
    facts.last_rotation_type = reader.OptionalText(value, "type");
  });
}

// ReadLater reads the members that came later in the format.
void ReadLater(Reader& reader, const Value& value, KeyFacts& facts) {
  facts.primary_region = reader.OptionalText(value, "primary_region");
  if (value.Find("replica_arns")) facts.replica_arns = reader.Texts(value, "replica_arns");
  if (value.Find("tags")) {
    reader.Each(value, "tags", kListMax, [&](const Value& tag) {
      facts.tags.emplace_back(reader.Text(tag, "key"), reader.Text(tag, "value"));
    });
  }
  facts.aliases_unknown = reader.OptionalBool(value, "aliases_unknown");
  facts.rotations_read = reader.OptionalBool(value, "rotations_read");
  if (value.Find("rotations_failure")) {
    facts.rotations_failure = Failure(reader, value, "rotations_failure");
  }
  if (value.Find("tags_failure")) facts.tags_failure = Failure(reader, value, "tags_failure");
}

KeyResult ReadKey(Reader& reader, const Value& value, const AuditRun& run) {
  KeyResult key;
  Judgement& judgement = key.judgement;
  judgement.verdict = reader.VerdictOf(value, "verdict");
  judgement.raw_verdict = reader.VerdictOf(value, "raw_verdict");
  judgement.reason = reader.Text(value, "reason");
  judgement.row = static_cast<int>(reader.Int(value, "row", 0, 99));
  judgement.remediable = reader.Bool(value, "remediable");
  judgement.exception_id = reader.OptionalText(value, "exception_id");
  judgement.follows_primary = reader.OptionalBool(value, "follows_primary");
  KeyFacts& facts = key.facts;
  facts.arn = reader.Text(value, "arn");
  facts.key_id = reader.Text(value, "key_id");
  facts.endpoint_url = EndpointUrl(reader, value, run);
  facts.account = reader.OptionalText(value, "account");
  facts.region = reader.Text(value, "region");
  facts.aliases = reader.Texts(value, "aliases");
  facts.description = reader.OptionalText(value, "description");
  facts.key_manager = reader.OptionalText(value, "key_manager");
  facts.key_spec = reader.OptionalText(value, "key_spec");
  facts.key_usage = reader.OptionalText(value, "key_usage");
  facts.origin = reader.OptionalText(value, "origin");
  facts.key_state = reader.OptionalText(value, "key_state");
  facts.creation_date = reader.OptionalTime(value, "creation_date");
  facts.deletion_date = reader.OptionalTime(value, "deletion_date");
  facts.multi_region = reader.Bool(value, "multi_region");
  facts.multi_region_type = reader.OptionalText(value, "multi_region_type");
  facts.primary_arn = reader.OptionalText(value, "primary_arn");
  ReadRotation(reader, value, facts);
  facts.describe_failure = Failure(reader, value, "describe_failure");
  facts.rotation_failure = Failure(reader, value, "rotation_failure");
  ReadLater(reader, value, facts);
  return key;
}

RegionResult ReadRegion(Reader& reader, const Value& value, const AuditRun& run) {
  RegionResult region;
  region.endpoint_url = EndpointUrl(reader, value, run);
  region.account = reader.OptionalText(value, "account");
  region.region = reader.Text(value, "region");
  const auto status = ParseRegionStatus(reader.Text(value, "status"));
  if (!status) reader.Within("status", [&] { reader.Wrong("is no status of a region"); });
  region.status = status.value_or(RegionStatus::kError);
  region.detail = reader.OptionalText(value, "detail");
  region.keys_listed = reader.Count(value, "listed");
  // Before there was "gap", all that was not scanned was one.
  region.excused =
      value.Find("gap") && region.status != RegionStatus::kScanned && !reader.Bool(value, "gap");
  return region;
}

void ReadCalls(Reader& reader, const Value& root, AuditRun& run) {
  reader.Object(root, "calls", [&](const Value& calls) {
    if (calls.size() > kListMax) return reader.Wrong("is too long");
    calls.ForEachMember([&](std::string_view name, Value value) {
      reader.Within(std::string(name), [&] {
        run.calls[std::string(name)] = {reader.Count(value, "calls"),
                                        reader.Count(value, "throttled"),
                                        reader.Count(value, "failed")};
      });
      return !reader.failed();
    });
  });
}

constexpr std::size_t kAlsoJudgedMax = 64;

// ReadPolicy reads what was judged by; a policy file's members are there when there was one.
void ReadPolicy(Reader& reader, const Value& root, AuditRun& run) {
  reader.Object(root, "policy", [&](const Value& policy) {
    run.max_period_days = static_cast<int>(reader.Int(policy, "max_period_days", 1, 1'000'000));
    run.strict_disabled = reader.Bool(policy, "strict_disabled");
    run.policy.sha256 = reader.OptionalText(policy, "sha256");
    run.policy.name = reader.OptionalText(policy, "name");
    if (policy.Find("rules")) run.policy.rules = reader.Texts(policy, "rules");
  });
  if (!root.Find("also_judged")) return;
  reader.Each(root, "also_judged", kAlsoJudgedMax, [&](const Value& value) {
    PeriodResult& result = run.also_judged.emplace_back();
    result.max_period_days = static_cast<int>(reader.Int(value, "max_period_days", 1, 1'000'000));
    Totals& totals = result.totals;
    reader.Object(value, "totals", [&](const Value& object) {
      totals.listed = reader.Count(object, "listed");
      totals.followers = reader.Count(object, "followers");
      std::uint64_t sum = 0;
      reader.Object(object, "by_verdict", [&](const Value& counts) {
        for (std::size_t i = 0; i < kVerdictCount; ++i) {
          const auto verdict = static_cast<Verdict>(i);
          sum += totals.by_verdict[verdict] = reader.Count(counts, VerdictName(verdict));
        }
      });
      if (sum != totals.listed) reader.Wrong("the verdicts do not add up");
      totals.compliance_percent = reader.OptionalDouble(object, "compliance_percent");
    });
  });
}

void CheckTotals(Reader& reader, const Value& root, const AuditRun& run) {
  reader.Object(root, "totals", [&](const Value& totals) {
    if (reader.Count(totals, "listed") != run.totals.listed) {
      reader.Wrong("'listed' is not the number of keys");
    }
    reader.Object(totals, "by_verdict", [&](const Value& by_verdict) {
      for (const auto& [verdict, count] : run.totals.by_verdict) {
        if (reader.Count(by_verdict, VerdictName(verdict)) != count) {
          reader.Wrong("'" + std::string(VerdictName(verdict)) +
                       "' is not what the keys add up to");
        }
      }
    });
  });
}

void ReadRoot(Reader& reader, const Value& root, AuditRun& run) {
  run.tool_version = reader.Text(root, "tool_version");
  run.run_id = reader.Text(root, "run_id");
  run.started = reader.Time(root, "started");
  run.finished = reader.Time(root, "finished");
  run.endpoint = reader.Text(root, "endpoint");
  run.cancelled = reader.Bool(root, "cancelled");
  ReadPolicy(reader, root, run);
  reader.Each(root, "regions", kKeysMax,
              [&](const Value& value) { run.regions.push_back(ReadRegion(reader, value, run)); });
  reader.Each(root, "keys", kKeysMax,
              [&](const Value& value) { run.keys.push_back(ReadKey(reader, value, run)); });
  reader.Each(root, "exception_notes", kListMax, [&](const Value& note) {
    run.exception_notes.push_back({reader.Text(note, "id"), reader.Text(note, "problem")});
  });
  if (root.Find("notes")) run.notes = reader.Texts(root, "notes");
  ReadCalls(reader, root, run);
  run.totals = CountTotals(run.keys);
  CheckTotals(reader, root, run);
}

}  // namespace

Result<AuditRun> ParseRun(std::string_view text, std::string_view place) {
  json::Parser parser(json::Limits{.bytes_max = kTextBytesMax, .depth_max = 16});
  const auto root = parser.Parse(text);
  if (!root) {
    return Fail(ErrorCode::kUsage, std::string(place) + ": is no JSON: " + root.error().message);
  }
  Reader reader(place);
  const std::string format =
      root->type() == json::Type::kObject ? reader.OptionalText(*root, "format") : std::string();
  if (format != kAuditFormat) {
    const bool newer = format.starts_with("keyturn.audit.v");
    return Fail(newer ? ErrorCode::kNewerFormat : ErrorCode::kUsage,
                std::string(place) + (newer ? ": was written by a newer keyturn"
                                            : ": is no recorded audit (keyturn audit --format "
                                              "json, or --record)"));
  }
  AuditRun run;
  ReadRoot(reader, *root, run);
  if (reader.failed()) return Fail(reader.error());
  return run;
}

Result<AuditRun> ReadRun(const std::string& path) {
  std::error_code ignored;
  const bool is_directory = std::filesystem::is_directory(path, ignored);
  const std::string file =
      is_directory ? (std::filesystem::path(path) / kAuditFile).string() : path;
  KT_ASSIGN(const std::string text, ReadWholeFile(file, kTextBytesMax));
  return ParseRun(text, file);
}

}  // namespace keyturn::control
