// Records of evidence: their form, and the chain that they are.
#include <algorithm>
#include <array>

#include "base/base64.h"
#include "base/hex.h"
#include "control/evidence_bundle.h"
#include "control/text.h"

namespace keyturn::control {
namespace {

using json::Value;

constexpr std::string_view kLinkMember = ",\"link\":\"";
constexpr std::size_t kLinkTail = kLinkMember.size() + 64 + 2;  // the digits, a quote and a brace

// Members reads one object; after the first that is missing or of another type all is wrong.
class Members {
 public:
  explicit Members(const Value& object) : object_(object) {}
  bool failed() const { return !wrong_.empty(); }
  const std::string& wrong() const { return wrong_; }

  std::string Text(std::string_view name) {
    const auto member = Find(name);
    const auto text = member ? member->AsString() : std::nullopt;
    if (!text) Wrong(name);
    return std::string(text.value_or(std::string_view{}));
  }
  std::optional<std::string> OptionalText(std::string_view name) {
    const auto member = Find(name);
    if (!member || member->is_null()) return std::nullopt;
    return Text(name);
  }
  std::uint64_t Number(std::string_view name) {
    const auto member = Find(name);
    const auto number = member ? member->AsInt() : std::nullopt;
    if (!number || *number < 0) Wrong(name);
    return static_cast<std::uint64_t>(std::max<std::int64_t>(number.value_or(0), 0));
  }
  bool Bool(std::string_view name) {
    const auto member = Find(name);
    const auto bit = member ? member->AsBool() : std::nullopt;
    if (!bit) Wrong(name);
    return bit.value_or(false);
  }
  TimePoint Time(std::string_view name) {
    const auto time = ParseIso8601(Text(name));
    if (!time) Wrong(name);
    return time.value_or(TimePoint());
  }
  std::vector<std::string> Texts(std::string_view name) {
    std::vector<std::string> texts;
    const auto list = Find(name);
    const bool is_list = list && list->ForEachElement([&](std::size_t, Value element) {
      const auto text = element.AsString();
      if (!text) return false;
      texts.emplace_back(*text);
      return true;
    });
    if (!is_list || texts.size() != list->size()) Wrong(name);
    return texts;
  }
  std::optional<Value> OptionalObject(std::string_view name) {
    auto member = Find(name);
    if (!member || member->is_null()) return std::nullopt;
    if (member->type() != json::Type::kObject) Wrong(name);
    return member;
  }
  void Wrong(std::string_view name) {
    if (wrong_.empty()) wrong_ = "'" + std::string(name) + "' is missing or has no sense";
  }
  void Take(const Members& inner) {
    if (wrong_.empty()) wrong_ = inner.wrong_;
  }

 private:
  std::optional<Value> Find(std::string_view name) {
    auto member = object_.Find(name);
    if (!member) Wrong(name);
    return member;
  }
  const Value& object_;
  std::string wrong_;
};

Target::Closed ReadClosed(Members& members) {
  Target::Closed closed;
  const auto status = ParseRegionStatus(members.Text("status"));
  if (!status) members.Wrong("status");
  closed.status = status.value_or(RegionStatus::kError);
  closed.detail = members.Text("detail");
  return closed;
}

Target ReadTarget(Members& members) {
  Target target;
  target.endpoint_url = members.OptionalText("endpoint").value_or("");
  target.account = members.OptionalText("account").value_or("");
  target.regions = members.Texts("regions");
  target.all_regions = members.Bool("all_regions");
  target.caller = members.OptionalText("caller").value_or("");
  if (const auto closed = members.OptionalObject("closed")) {
    Members inner(*closed);
    target.closed = ReadClosed(inner);
    members.Take(inner);
  }
  return target;
}

// ReadBody: word for word, and with the digest that it is recorded with.
std::string ReadBody(Members& members) {
  auto body = members.OptionalText("body");
  const auto base64 = members.OptionalText("body_base64");
  if (!body && base64) {
    if (const auto bytes = Base64Decode(*base64)) body = std::string(AsText(*bytes));
  }
  if (!body || HexEncode(crypto::Sha256(AsBytes(*body))) != members.Text("body_sha256")) {
    members.Wrong("body_sha256");
  }
  return body.value_or("");
}

std::optional<http::ClientResponse> ReadResponse(const Value& record, Members& members) {
  const auto status = record.Find("http_status");
  if (status && status->is_null()) return std::nullopt;
  http::ClientResponse response;
  response.status = static_cast<int>(std::min<std::uint64_t>(members.Number("http_status"), 999));
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kHeaders = {
      {{"request_id", "x-amzn-requestid"},
       {"error_type", "x-amzn-errortype"},
       {"server_date", "date"}}};
  for (const auto& header : kHeaders) {
    if (auto text = members.OptionalText(header.first)) {
      response.headers.emplace_back(header.second, *std::move(text));
    }
  }
  response.body = ReadBody(members);
  return response;
}

EvidenceCall ReadCall(const Value& record, Members& members) {
  EvidenceCall call;
  call.time = members.Time("time");
  call.operation = members.Text("operation");
  call.region = members.Text("region");
  members.Text("endpoint");
  call.request = members.Text("request");
  members.Number("attempt");
  call.outcome = members.Text("outcome");
  if (call.outcome != "ok" && call.outcome != "retried" && call.outcome != "failed") {
    members.Wrong("outcome");
  }
  call.response = ReadResponse(record, members);
  if (const auto error = members.OptionalObject("error")) {
    Members inner(*error);
    call.error = client::CallError{inner.Text("code"), inner.Text("message"), {}, 0};
    members.Take(inner);
  }
  if (call.outcome == "ok" ? !call.response || call.error.has_value() : !call.error) {
    members.Wrong("outcome");
  }
  return call;
}

void ReadBegin(Members& members, EvidenceRecord& record) {
  if (members.Text("format") != kEvidenceFormat) members.Wrong("format");
  record.run_id = members.Text("run_id");
  record.command = members.Text("command");
  record.time = members.Time("time");
}

EvidenceRecord ReadRecord(const Value& value, Members& members) {
  EvidenceRecord record;
  record.seq = members.Number("seq");
  record.kind = members.Text("kind");
  const std::string& kind = record.kind;
  if (kind == "begin") {
    ReadBegin(members, record);
    return record;
  }
  if (kind == "end") {
    record.calls = members.Number("calls");
    record.cancelled = members.Bool("cancelled");
    return record;
  }
  record.target = static_cast<std::size_t>(members.Number("target"));
  if (kind == "target") {
    record.described = ReadTarget(members);
  } else if (kind == "opened") {
    record.opened = Access::Open{nullptr, members.Texts("regions"), members.Texts("not_enabled"),
                                 members.OptionalText("note").value_or(""),
                                 members.OptionalText("caller_arn").value_or("")};
  } else if (kind == "refused") {
    record.refused = ReadClosed(members);
  } else if (kind == "call") {
    record.call = ReadCall(value, members);
  } else {
    members.Wrong("kind");
  }
  return record;
}

}  // namespace

Result<EvidenceRecord> RecordChain::Wrong(std::string_view what) const {
  return Fail(ErrorCode::kCorrupt, "record " + std::to_string(count_) + " of " +
                                       std::string(kRecordsFile) + ": " + std::string(what));
}

Result<EvidenceRecord> RecordChain::Read(std::string_view line) {
  const auto value = parser_.Parse(line);
  if (!value || value->type() != json::Type::kObject) return Wrong("is no JSON object");
  Members members(*value);
  EvidenceRecord record = ReadRecord(*value, members);
  if (members.failed()) return Wrong(members.wrong());
  return record;
}

// CheckPlace: what may stand where.
Result<EvidenceRecord> RecordChain::CheckPlace(EvidenceRecord record) {
  if (record.seq != count_) return Wrong("'seq' is " + std::to_string(record.seq));
  if ((record.kind == "begin") != (count_ == 0)) return Wrong("'kind' has no place here");
  if (ended_) return Wrong("stands after the last record");
  if (record.kind == "target") {
    if (record.target != targets_) return Wrong("'target' is not the next one");
    ++targets_;
  } else if (record.kind != "begin" && record.kind != "end" && record.target >= targets_) {
    return Wrong("'target' is not known");
  }
  if (record.kind == "end" && record.calls != calls_) return Wrong("'calls' is not their number");
  return record;
}

Result<EvidenceRecord> RecordChain::Take(std::string_view line) {
  if (line.size() <= kLinkTail || !line.ends_with("\"}") ||
      line.substr(line.size() - kLinkTail, kLinkMember.size()) != kLinkMember) {
    return Wrong("does not end with its link");
  }
  const std::string_view text = line.substr(0, line.size() - kLinkTail);
  const std::string_view digits = line.substr(line.size() - 66, 64);
  KT_ASSIGN(EvidenceRecord record, Read(line));
  if (count_ == 0) {
    run_id_ = record.run_id;
    link_ = GenesisLink(run_id_);
  }
  const std::array<ByteView, 2> parts = {ByteView(link_), AsBytes(text)};
  link_ = crypto::Sha256Parts(parts);
  if (HexEncode(link_) != digits) {
    return Wrong("its link is wrong: it, or what stood before it, was changed");
  }
  KT_ASSIGN(record, CheckPlace(std::move(record)));
  if (count_ == 0) first_link_ = digits;
  head_ = digits;
  ++count_;
  if (record.kind == "call") ++calls_;
  ended_ = record.kind == "end";
  return record;
}

}  // namespace keyturn::control
