#include "control/audit_state.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "control/change_json.h"
#include "control/files.h"
#include "control/text.h"
#include "json/json.h"
#include "model/arn.h"

namespace keyturn::control {
namespace {

constexpr std::string_view kFormat = "keyturn-audit-state";
constexpr int kVersion = 1;
constexpr std::size_t kBytesMax = 4ULL << 30;
constexpr std::size_t kLineBytesMax = 1 << 20;

void Optional(json::Writer& w, std::string_view name, std::string_view text) {
  if (!text.empty()) WriteText(w, name, text);
}

void Optional(json::Writer& w, std::string_view name, const std::optional<TimePoint>& time) {
  if (time) WriteTime(w, name, *time);
}

std::string NameOf(const KeyFacts& facts) {
  std::string name = facts.endpoint_url.text();
  return name.append(" ").append(facts.arn);
}

}  // namespace

std::string StateLine(const KeyFacts& facts) {
  std::string line;
  json::Writer w(line);
  w.BeginObject();
  Optional(w, "endpoint_url", facts.endpoint_url);
  WriteText(w, "arn", facts.arn);
  WriteText(w, "key_id", facts.key_id);
  Optional(w, "key_manager", facts.key_manager);
  Optional(w, "key_spec", facts.key_spec);
  Optional(w, "key_usage", facts.key_usage);
  Optional(w, "origin", facts.origin);
  Optional(w, "key_state", facts.key_state);
  Optional(w, "description", facts.description);
  Optional(w, "creation_date", facts.creation_date);
  Optional(w, "deletion_date", facts.deletion_date);
  w.Key("multi_region").Bool(facts.multi_region);
  Optional(w, "multi_region_type", facts.multi_region_type);
  Optional(w, "primary_arn", facts.primary_arn);
  Optional(w, "primary_region", facts.primary_region);
  w.Key("replica_arns").BeginArray();
  for (const std::string& arn : facts.replica_arns) w.String(WellFormed(arn));
  w.EndArray();
  if (facts.rotation) {
    w.Key("rotation").BeginObject().Key("enabled").Bool(facts.rotation->enabled);
    if (facts.rotation->period_days) w.Key("period_days").Int(*facts.rotation->period_days);
    Optional(w, "next_rotation_date", facts.rotation->next_rotation_date);
    Optional(w, "on_demand_start_date", facts.rotation->on_demand_start_date);
    w.EndObject();
  }
  Optional(w, "last_rotation_date", facts.last_rotation_date);
  Optional(w, "last_rotation_type", facts.last_rotation_type);
  w.EndObject();
  return line;
}

Result<KeyFacts> ReadStateLine(std::string_view line) {
  json::Parser parser(json::Limits{.bytes_max = kLineBytesMax, .depth_max = 8});
  KT_ASSIGN(const json::Value root, parser.Parse(line));
  Fields fields(root);
  KeyFacts facts;
  facts.endpoint_url = fields.OptionalText("endpoint_url");
  facts.arn = fields.Text("arn");
  facts.key_id = fields.Text("key_id");
  const auto arn = model::Arn::Parse(facts.arn);
  if (!arn) fields.Wrong("arn");
  facts.account = arn ? arn->account : std::string_view();
  facts.region = arn ? arn->region : std::string_view();
  facts.key_manager = fields.OptionalText("key_manager");
  facts.key_spec = fields.OptionalText("key_spec");
  facts.key_usage = fields.OptionalText("key_usage");
  facts.origin = fields.OptionalText("origin");
  facts.key_state = fields.OptionalText("key_state");
  facts.description = fields.OptionalText("description");
  facts.creation_date = fields.OptionalTime("creation_date");
  facts.deletion_date = fields.OptionalTime("deletion_date");
  facts.multi_region = fields.Bool("multi_region");
  facts.multi_region_type = fields.OptionalText("multi_region_type");
  facts.primary_arn = fields.OptionalText("primary_arn");
  facts.primary_region = fields.OptionalText("primary_region");
  facts.replica_arns = fields.Texts("replica_arns");
  if (root.Find("rotation")) {
    Fields inner(fields.Object("rotation"));
    RotationFacts& rotation = facts.rotation.emplace();
    rotation.enabled = inner.Bool("enabled");
    if (const auto days = inner.OptionalInt("period_days", 1, 1000000)) {
      rotation.period_days = static_cast<int>(*days);
    }
    rotation.next_rotation_date = inner.OptionalTime("next_rotation_date");
    rotation.on_demand_start_date = inner.OptionalTime("on_demand_start_date");
    if (!inner.ok()) fields.Wrong("rotation");
  }
  facts.last_rotation_date = fields.OptionalTime("last_rotation_date");
  facts.last_rotation_type = fields.OptionalText("last_rotation_type");
  if (!fields.ok()) return Fail(ErrorCode::kMalformed, fields.wrong());
  return facts;
}

Result<std::unique_ptr<AuditState>> AuditState::Open(const std::string& path, const Clock& clock) {
  constexpr mode_t kOwner = 0600;
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, kOwner);
  if (fd < 0) return Fail(SystemError("cannot open", path, errno));
  std::unique_ptr<AuditState> state(new AuditState(path, fd));
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return Fail(SystemError("cannot lock", path, errno));
    return Fail(ErrorCode::kLocked, path + ": another keyturn is working with this state");
  }
  KT_TRY(state->Load(clock));
  return state;
}

AuditState::~AuditState() {
  // What is lost here is read again.
  (void)Flush();
  close(fd_);
}

Status AuditState::Load(const Clock& clock) {
  KT_ASSIGN(const std::string text, ReadWholeFile(path_, kBytesMax));
  const auto header_end = text.find('\n');
  if (text.empty()) {
    started_ = clock.Now();
    json::Writer w(pending_);
    w.BeginObject().Key("format").String(kFormat).Key("version").Int(kVersion);
    WriteTime(w, "started", started_);
    w.EndObject();
    pending_ += '\n';
    return Flush();
  }
  json::Parser parser(json::Limits{.bytes_max = 4096, .depth_max = 4});
  const auto root = parser.Parse(std::string_view(text).substr(0, header_end));
  const auto refuse = [this](ErrorCode code, const std::string& what) {
    return Fail(code, path_ + ": " + what);
  };
  if (!root) return refuse(ErrorCode::kUsage, "is no state of an audit; name another file");
  Fields fields(*root);
  if (fields.OptionalText("format") != kFormat) {
    return refuse(ErrorCode::kUsage, "is no state of an audit; name another file");
  }
  if (fields.Int("version", 1, 1000000) > kVersion) {
    return refuse(ErrorCode::kNewerFormat, "was written by a newer version of keyturn");
  }
  started_ = fields.Time("started");
  if (!fields.ok()) return refuse(ErrorCode::kCorrupt, "line 1: " + fields.wrong());
  if (clock.Now() - started_ > kOldest) {
    return refuse(ErrorCode::kUsage, "is of " + FormatIso8601(started_) +
                                         ", more than a day ago; remove it to begin anew");
  }
  std::string_view rest(text);
  std::size_t valid = 0;
  std::size_t line = 0;
  for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
    ++line;
    if (line > 1) {
      auto facts = ReadStateLine(rest.substr(0, end));
      if (!facts) {
        return refuse(ErrorCode::kCorrupt, "line " + std::to_string(line) + ": " +
                                               facts.error().message +
                                               "; remove the file to begin anew");
      }
      std::string name = NameOf(*facts);
      known_.insert_or_assign(std::move(name), *std::move(facts));
    }
    valid += end + 1;
    rest.remove_prefix(end + 1);
  }
  // A line that was cut short is written again.
  if (valid != text.size() && ftruncate(fd_, static_cast<off_t>(valid)) != 0) {
    return Fail(SystemError("cannot cut the torn line off", path_, errno));
  }
  return {};
}

bool AuditState::Take(KeyFacts& facts) {
  const auto found = known_.find(NameOf(facts));
  if (found == known_.end()) return false;
  auto aliases = std::move(facts.aliases);
  facts = std::move(found->second);
  facts.aliases = std::move(aliases);
  known_.erase(found);
  return true;
}

void AuditState::Note(const KeyFacts& facts) {
  if (broken_ || facts.describe_failure || facts.rotation_failure || facts.key_manager.empty()) {
    return;
  }
  pending_ += StateLine(facts);
  pending_ += '\n';
}

Status AuditState::Flush() {
  if (broken_ || pending_.empty()) return {};
  if (!WriteAll(fd_, pending_)) {
    broken_ = true;
    return Fail(SystemError("cannot write", path_, errno));
  }
  pending_.clear();
  return {};
}

Status AuditState::Remove() {
  pending_.clear();
  if (unlink(path_.c_str()) != 0) return Fail(SystemError("cannot remove", path_, errno));
  return {};
}

}  // namespace keyturn::control
