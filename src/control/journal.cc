#include "control/journal.h"

#include <array>
#include <limits>

#include "control/change_json.h"
#include "control/files.h"

namespace keyturn::control {
namespace {

constexpr std::string_view kFormat = "keyturn-journal";
// Version 1 named one endpoint, in its first line; version 2 had neither
// bounds nor approvals. Both are still read.
constexpr int kVersion = 3;
constexpr std::size_t kJournalBytesMax = 1U << 30;
constexpr std::size_t kLineBytesMax = 1 << 20;
constexpr std::size_t kChangesMax = 10'000'000;

constexpr std::array<std::string_view, 5> kKindNames = {"begin", "intent", "result", "end", "stop"};

std::optional<JournalEntry::Kind> ParseKind(std::string_view name) {
  for (std::size_t i = 0; i < kKindNames.size(); ++i) {
    if (kKindNames.at(i) == name) return static_cast<JournalEntry::Kind>(i);
  }
  return std::nullopt;
}

void WriteApproval(json::Writer& w, const Approval& approval) {
  w.Key("approval").BeginObject();
  WriteText(w, "how", approval.how);
  if (!approval.signature.empty()) {
    WriteText(w, "principals", approval.principals);
    WriteText(w, "key", approval.key);
    WriteText(w, "signature", approval.signature);
  }
  w.EndObject();
}

// LineReader reads one line after the other into a journal.
class LineReader {
 public:
  LineReader(Journal& journal, std::string_view place) : journal_(journal), place_(place) {}

  Status Line(std::string_view text) {
    ++line_;
    const auto root = parser_.Parse(text);
    if (!root) {
      return line_ == 1 ? NoJournal() : Corrupt(root.error().message);
    }
    Fields fields(*root);
    if (line_ == 1) return Header(fields);
    if (journal_.changes.size() < journal_.header.changes) return Change(fields);
    return Entry(fields);
  }

  Status Finish() const {
    if (line_ == 0) return NoJournal();
    if (journal_.changes.size() < journal_.header.changes) {
      return Corrupt("the file ends before the last planned change");
    }
    return {};
  }

 private:
  Status NoJournal() const {
    return Fail(ErrorCode::kUsage, std::string(place_) + ": is no journal of keyturn");
  }

  Status Corrupt(const std::string& what) const {
    return Fail(ErrorCode::kCorrupt,
                std::string(place_) + ":" + std::to_string(line_) + ": " + what);
  }

  Status Header(Fields& fields) {
    if (fields.OptionalText("format") != kFormat) return NoJournal();
    const auto version = fields.Int("version", 1, 1000000);
    if (version > kVersion) {
      return Fail(ErrorCode::kNewerFormat,
                  std::string(place_) + ": was written by a newer version of keyturn");
    }
    JournalHeader& header = journal_.header;
    header.tool_version = fields.OptionalText("tool_version");
    header.plan_sha256 = fields.Text("plan_sha256");
    if (version == 1) only_endpoint_url_ = fields.OptionalText("endpoint_url");
    header.created = fields.Time("created");
    header.changes =
        static_cast<std::size_t>(fields.Int("changes", 0, static_cast<std::int64_t>(kChangesMax)));
    if (fields.Has("approval")) {
      Fields inner(fields.Object("approval"));
      header.approval = Approval{inner.Text("how"), inner.OptionalText("principals"),
                                 inner.OptionalText("key"), inner.OptionalText("signature")};
      fields.Inner("approval", inner);
    }
    return fields.ok() ? Status{} : Corrupt(fields.wrong());
  }

  Status Change(Fields& fields) {
    const auto index = fields.Int("index", 0, std::numeric_limits<std::int64_t>::max());
    if (static_cast<std::size_t>(index) != journal_.changes.size()) fields.Wrong("index");
    journal_.changes.push_back(ReadChange(fields, "index"));
    if (only_endpoint_url_) journal_.changes.back().endpoint_url = *only_endpoint_url_;
    return fields.ok() ? Status{} : Corrupt(fields.wrong());
  }

  Status Entry(Fields& fields) {
    JournalEntry entry;
    const auto kind = ParseKind(fields.Text("record"));
    const auto phase = ParsePhase(fields.Text("phase"));
    if (!kind) fields.Wrong("record");
    if (!phase) fields.Wrong("phase");
    entry.kind = kind.value_or(JournalEntry::Kind::kBegin);
    entry.phase = phase.value_or(Phase::kApply);
    entry.time = fields.Time("time");
    const bool of_key =
        entry.kind == JournalEntry::Kind::kIntent || entry.kind == JournalEntry::Kind::kResult;
    if (of_key) {
      if (journal_.changes.empty()) {
        fields.Wrong("index");
      } else {
        entry.index = static_cast<std::size_t>(
            fields.Int("index", 0, static_cast<std::int64_t>(journal_.changes.size()) - 1));
      }
    }
    if (entry.kind == JournalEntry::Kind::kBegin || entry.kind == JournalEntry::Kind::kStop) {
      entry.reason = fields.OptionalText("reason");
    }
    if (entry.kind == JournalEntry::Kind::kBegin) {
      const auto first = fields.OptionalInt("first", 1, static_cast<std::int64_t>(kChangesMax));
      if (first) entry.first = static_cast<std::size_t>(*first);
    }
    if (entry.kind == JournalEntry::Kind::kIntent) {
      entry.prior = ReadCondition(fields, "prior");
      entry.wanted = ReadSetting(fields, "wanted");
    }
    if (entry.kind == JournalEntry::Kind::kResult) {
      const auto outcome = ParseChangeOutcome(fields.Text("outcome"));
      if (!outcome) fields.Wrong("outcome");
      entry.outcome = outcome.value_or(ChangeOutcome::kFailed);
      entry.detail = fields.OptionalText("detail");
      entry.request_id = fields.OptionalText("request_id");
      entry.uncertain = fields.Bool("uncertain");
    }
    if (!fields.ok()) return Corrupt(fields.wrong());
    journal_.entries.push_back(std::move(entry));
    return {};
  }

  Journal& journal_;
  const std::string_view place_;
  json::Parser parser_{json::Limits{.bytes_max = kLineBytesMax, .depth_max = 8}};
  std::size_t line_ = 0;
  std::optional<std::string> only_endpoint_url_;  // of version 1
};

}  // namespace

Result<Journal> ParseJournal(std::string_view text, std::string_view place) {
  Journal journal;
  journal.path = place;
  journal.file_bytes = text.size();
  LineReader reader(journal, place);
  // Only whole lines count: what comes after the last line break was cut short by a crash before it
  // was on disk, so nothing was done that depends on it.
  for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    KT_TRY(reader.Line(text.substr(0, end)));
    journal.valid_bytes += end + 1;
    text.remove_prefix(end + 1);
  }
  KT_TRY(reader.Finish());
  return journal;
}

Result<Journal> ReadJournal(const std::string& path) {
  KT_ASSIGN(const std::string text, ReadWholeFile(path, kJournalBytesMax));
  return ParseJournal(text, path);
}

std::string JournalText(const Plan& plan, TimePoint created, std::string_view tool_version,
                        const Approval& approval) {
  std::string text;
  {
    json::Writer w(text);
    w.BeginObject();
    w.Key("format").String(kFormat).Key("version").Int(kVersion);
    WriteText(w, "tool_version", tool_version);
    WriteText(w, "plan_sha256", plan.sha256);
    WriteTime(w, "created", created);
    w.Key("changes").Int(static_cast<std::int64_t>(plan.changes.size()));
    if (!approval.how.empty()) WriteApproval(w, approval);
    w.EndObject();
  }
  text += '\n';
  for (std::size_t i = 0; i < plan.changes.size(); ++i) {
    json::Writer w(text);
    w.BeginObject();
    w.Key("index").Int(static_cast<std::int64_t>(i));
    WriteChange(w, plan.changes[i]);
    w.EndObject();
    text += '\n';
  }
  return text;
}

void AppendEntryText(const JournalEntry& entry, std::string& out) {
  using Kind = JournalEntry::Kind;
  json::Writer w(out);
  w.BeginObject();
  w.Key("record").String(kKindNames.at(static_cast<std::size_t>(entry.kind)));
  w.Key("phase").String(PhaseName(entry.phase));
  WriteTime(w, "time", entry.time);
  if (!entry.reason.empty()) WriteText(w, "reason", entry.reason);
  if (entry.first) w.Key("first").Int(static_cast<std::int64_t>(*entry.first));
  if (entry.kind == Kind::kIntent || entry.kind == Kind::kResult) {
    w.Key("index").Int(static_cast<std::int64_t>(entry.index));
  }
  if (entry.kind == Kind::kIntent) {
    WriteCondition(w, "prior", entry.prior);
    WriteSetting(w, "wanted", entry.wanted);
  }
  if (entry.kind == Kind::kResult) {
    w.Key("outcome").String(ChangeOutcomeName(entry.outcome));
    if (!entry.detail.empty()) WriteText(w, "detail", entry.detail);
    if (!entry.request_id.empty()) WriteText(w, "request_id", entry.request_id);
    w.Key("uncertain").Bool(entry.uncertain);
  }
  w.EndObject();
  out += '\n';
}

}  // namespace keyturn::control
