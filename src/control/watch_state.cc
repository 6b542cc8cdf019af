#include "control/watch_state.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <tuple>

#include "base/hex.h"
#include "control/files.h"
#include "control/text.h"
#include "crypto/digest.h"
#include "json/json.h"
#include "model/arn.h"

namespace keyturn::control {
namespace {

constexpr std::string_view kStateFormat = "keyturn-watch-state";
constexpr int kStateVersion = 1;
constexpr std::size_t kStateBytesMax = 1U << 30;
constexpr std::size_t kWatchedKeysMax = 1'000'000;
constexpr std::size_t kEventsMax = 10'000;
constexpr std::size_t kEventBytesMax = 1 << 20;
constexpr std::size_t kChangesMax = 10'000;
constexpr Days kADay{1};

std::string WatchedName(const KeyFacts& facts) {
  std::string name = facts.endpoint_url.text();
  return name.append(" ").append(facts.arn);
}

bool IsFailing(Verdict verdict) {
  return verdict == Verdict::kFail || verdict == Verdict::kFailPeriod;
}
bool IsTrouble(Verdict verdict) { return IsFailing(verdict) || verdict == Verdict::kUnknown; }

// Members reads what must be there; after the first that is not, ok() is false.
class StateMembers {
 public:
  explicit StateMembers(const json::Value& object) : object_(object) {}
  bool ok() const { return ok_; }
  std::string Text(std::string_view name) {
    const auto member = object_.Find(name);
    const auto text = member ? member->AsString() : std::nullopt;
    ok_ = ok_ && text.has_value();
    return std::string(text.value_or(std::string_view{}));
  }
  std::uint64_t Count(std::string_view name) {
    const auto member = object_.Find(name);
    const auto number = member ? member->AsInt() : std::nullopt;
    ok_ = ok_ && number && *number >= 0;
    return ok_ ? static_cast<std::uint64_t>(*number) : 0;
  }

 private:
  const json::Value& object_;
  bool ok_ = true;
};

std::string_view NextLine(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

VerdictChange ChangeOf(const KeyResult& key) {
  VerdictChange change;
  change.endpoint_url = key.facts.endpoint_url;
  change.account = key.facts.account;
  change.region = key.facts.region;
  change.arn = key.facts.arn;
  if (!key.facts.aliases.empty()) change.alias = key.facts.aliases.front();
  change.after = key.judgement.verdict;
  change.reason = key.judgement.reason;
  return change;
}

}  // namespace

Result<WatchState> WatchState::Read(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0 && errno == ENOENT) return WatchState{};
  KT_ASSIGN(const std::string text, ReadWholeFile(path, kStateBytesMax));
  return Parse(text, path);
}

Status WatchState::ParseHead(std::string_view line, std::string_view place, std::uint64_t& events,
                             std::uint64_t& keys, std::string& sha256) {
  json::Parser parser(json::Limits{.bytes_max = 1 << 20, .depth_max = 4});
  const auto head = parser.Parse(line);
  const auto format = head ? head->Find("format") : std::nullopt;
  if (!format || format->AsString() != kStateFormat) {
    return Fail(ErrorCode::kUsage, std::string(place) + ": is no state of keyturn watch");
  }
  StateMembers members(*head);
  if (members.Count("version") > kStateVersion) {
    return Fail(ErrorCode::kNewerFormat,
                std::string(place) + ": was written by a newer version of keyturn");
  }
  runs_ = members.Count("runs");
  open_journal = members.Text("open_journal");
  open_policy_sha256 = members.Text("open_policy_sha256");
  if (head->Find("open_exceptions_sha256")) {
    open_exceptions_sha256 = members.Text("open_exceptions_sha256");
  }
  events = members.Count("events");
  keys = members.Count("keys");
  sha256 = members.Text("sha256");
  const auto changes = head->Find("changes");
  bool good = changes && changes->size() <= kChangesMax;
  good = good && changes->ForEachElement([&](std::size_t, json::Value value) {
    StateMembers change(value);
    const auto time = ParseIso8601(change.Text("time"));
    good = good && time.has_value();
    changes_.push_back({time.value_or(TimePoint()), change.Count("keys")});
    good = good && change.ok();
    return good;
  }) && good;
  if (members.ok() && good && events <= kEventsMax && keys <= kWatchedKeysMax) return {};
  return Fail(ErrorCode::kCorrupt, std::string(place) + ": its first line is damaged");
}

Result<WatchState> WatchState::Parse(std::string_view text, std::string_view place) {
  WatchState state;
  std::uint64_t events = 0;
  std::uint64_t keys = 0;
  std::string sha256;
  const std::string_view head = NextLine(text);
  KT_TRY(state.ParseHead(head, place, events, keys, sha256));
  Status good = Fail(ErrorCode::kCorrupt, "its checksum is wrong");
  if (HexEncode(crypto::Sha256(AsBytes(text))) == sha256) {
    good = state.ParseLines(text, events, keys);
  }
  if (good) return state;
  return Fail(ErrorCode::kCorrupt, std::string(place) + ": is damaged (" + good.error().message +
                                       "); remove it to begin anew");
}

Status WatchState::ParseLines(std::string_view lines, std::uint64_t events, std::uint64_t keys) {
  json::Parser parser(json::Limits{.bytes_max = 2 * kEventBytesMax, .depth_max = 4});
  while (!lines.empty()) {
    const auto line = parser.Parse(NextLine(lines));
    if (!line) return Fail(ErrorCode::kCorrupt, "a line cannot be read");
    StateMembers members(*line);
    if (events_.size() < events) {
      events_.push_back({members.Text("id"), members.Text("body")});
    } else {
      const std::string name = members.Text("key");
      const auto verdict = ParseVerdict(members.Text("verdict"));
      const std::uint64_t failing = members.Count("failing_runs");
      if (!verdict || name.empty()) return Fail(ErrorCode::kCorrupt, "a line has no verdict");
      keys_[name] = {*verdict, failing, 0};
    }
    if (!members.ok()) return Fail(ErrorCode::kCorrupt, "a line misses something");
  }
  if (events_.size() == events && keys_.size() == keys) return {};
  return Fail(ErrorCode::kCorrupt, "lines are missing");
}

std::string WatchState::Text() const {
  std::string lines;
  for (const WatchEvent& event : events_) {
    json::Writer w(lines);
    w.BeginObject().Key("id").String(event.id).Key("body").String(event.body).EndObject();
    lines += '\n';
  }
  // Sorted, so that the same state is the same file.
  std::vector<const std::pair<const std::string, Key>*> sorted;
  sorted.reserve(keys_.size());
  for (const auto& entry : keys_) sorted.push_back(&entry);
  std::sort(sorted.begin(), sorted.end(),
            [](const auto* a, const auto* b) { return a->first < b->first; });
  for (const auto* entry : sorted) {
    json::Writer w(lines);
    w.BeginObject().Key("key").String(WellFormed(entry->first));
    w.Key("verdict").String(VerdictName(entry->second.verdict));
    w.Key("failing_runs").Int(static_cast<std::int64_t>(entry->second.failing_runs)).EndObject();
    lines += '\n';
  }
  std::string text;
  json::Writer w(text);
  w.BeginObject().Key("format").String(kStateFormat).Key("version").Int(kStateVersion);
  w.Key("runs").Int(static_cast<std::int64_t>(runs_));
  w.Key("open_journal").String(WellFormed(open_journal));
  w.Key("open_policy_sha256").String(WellFormed(open_policy_sha256));
  w.Key("open_exceptions_sha256").String(WellFormed(open_exceptions_sha256));
  w.Key("changes").BeginArray();
  for (const WatchChanges& change : changes_) {
    w.BeginObject().Key("time").String(FormatIso8601Millis(change.time));
    w.Key("keys").Int(static_cast<std::int64_t>(change.keys)).EndObject();
  }
  w.EndArray().Key("events").Int(static_cast<std::int64_t>(events_.size()));
  w.Key("keys").Int(static_cast<std::int64_t>(keys_.size()));
  w.Key("sha256").String(HexEncode(crypto::Sha256(AsBytes(lines)))).EndObject();
  return text + "\n" + lines;
}

Status WatchState::Write(const std::string& path) const {
  return WriteWholeFile(path, Text(), MayReplace::kAny);
}

std::vector<VerdictChange> WatchState::Observe(const AuditRun& run) {
  std::vector<VerdictChange> changes;
  if (run.cancelled) return changes;
  const bool first = runs_ == 0;
  ++runs_;
  for (const KeyResult& key : run.keys) {
    const Verdict verdict = key.judgement.verdict;
    const auto [entry, is_new] = keys_.try_emplace(WatchedName(key.facts));
    Key& known = entry->second;
    const bool told = is_new ? IsTrouble(verdict) : known.verdict != verdict;
    if (told && !first) {
      VerdictChange change = ChangeOf(key);
      if (!is_new) change.before = known.verdict;
      changes.push_back(std::move(change));
    }
    known.verdict = verdict;
    known.failing_runs = IsFailing(verdict) ? known.failing_runs + 1 : 0;
    known.seen = runs_;
  }
  FindGone(run, changes);
  return changes;
}

void WatchState::FindGone(const AuditRun& run, std::vector<VerdictChange>& changes) {
  std::set<std::tuple<std::string, std::string, std::string>> scanned;
  for (const RegionResult& region : run.regions) {
    if (region.status == RegionStatus::kScanned) {
      scanned.emplace(region.endpoint_url, region.account, region.region);
    }
  }
  for (auto entry = keys_.begin(); entry != keys_.end();) {
    const Key& known = entry->second;
    const std::size_t space = entry->first.find(' ');
    const auto arn = model::Arn::Parse(std::string_view(entry->first).substr(space + 1));
    const bool gone =
        known.seen != runs_ &&
        (!arn || scanned.contains({entry->first.substr(0, space), std::string(arn->account),
                                   std::string(arn->region)}));
    if (!gone) {
      ++entry;
      continue;
    }
    if (arn && IsTrouble(known.verdict)) {
      VerdictChange change;
      change.endpoint_url = entry->first.substr(0, space);
      change.account = arn->account;
      change.region = arn->region;
      change.arn = entry->first.substr(space + 1);
      change.before = known.verdict;
      change.reason = "the key is not listed any more";
      changes.push_back(std::move(change));
    }
    entry = keys_.erase(entry);
  }
}

std::uint64_t WatchState::FailingRuns(const KeyFacts& facts) const {
  const auto found = keys_.find(WatchedName(facts));
  return found == keys_.end() ? 0 : found->second.failing_runs;
}

bool WatchState::AddEvent(WatchEvent event) {
  events_.push_back(std::move(event));
  if (events_.size() <= kEventsMax) return false;
  events_.pop_front();
  return true;
}

std::uint64_t WatchState::ChangedSince(TimePoint then) const {
  std::uint64_t keys = 0;
  for (const WatchChanges& change : changes_) keys += change.time > then ? change.keys : 0;
  return keys;
}

void WatchState::AddChanges(WatchChanges changes) {
  const TimePoint oldest = changes.time - kADay;
  std::erase_if(changes_, [oldest](const WatchChanges& old) { return old.time <= oldest; });
  if (changes_.size() == kChangesMax) {
    // Their sum is what counts.
    changes_[1].keys += changes_[0].keys;
    changes_.erase(changes_.begin());
  }
  changes_.push_back(changes);
}

std::string EventBody(std::string_view id, const AuditRun& run,
                      const std::vector<VerdictChange>& changes) {
  std::string body;
  json::Writer w(body);
  const auto text = [&w](std::string_view name, std::string_view value) {
    w.Key(name);
    if (value.empty()) {
      w.Null();
    } else {
      w.String(WellFormed(value));
    }
  };
  w.BeginObject();
  text("format", "keyturn.watch.v1");
  text("id", id);
  text("run_id", run.run_id);
  text("time", FormatIso8601Millis(run.finished));
  text("policy_sha256", run.policy.sha256);
  w.Key("changes").BeginArray();
  for (const VerdictChange& change : changes) {
    w.BeginObject();
    text("arn", change.arn);
    text("alias", change.alias);
    text("endpoint", EndpointName(change.endpoint_url));
    text("account", change.account);
    text("region", change.region);
    text("before", change.before ? VerdictName(*change.before) : std::string_view());
    text("after", change.after ? VerdictName(*change.after) : std::string_view());
    text("reason", change.reason);
    w.EndObject();
  }
  w.EndArray().EndObject();
  return body;
}

}  // namespace keyturn::control
