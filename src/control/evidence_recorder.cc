#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

#include "base/base64.h"
#include "base/hex.h"
#include "control/evidence.h"
#include "control/files.h"
#include "control/text.h"
#include "json/json.h"

namespace keyturn::control {
namespace {

using json::Writer;

constexpr Millis kSyncEvery{1000};

class FileSink final : public EvidenceSink {
 public:
  FileSink(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  ~FileSink() override { close(fd_); }
  FileSink(const FileSink&) = delete;
  FileSink& operator=(const FileSink&) = delete;

  Status Append(std::string_view text) override {
    if (!WriteAll(fd_, text)) return Fail(SystemError("cannot write", path_, errno));
    return {};
  }
  Status Sync() override {
    if (fdatasync(fd_) != 0) return Fail(SystemError("cannot flush", path_, errno));
    return {};
  }

 private:
  const std::string path_;
  const int fd_;
};

// MakeDirectory: one that is there must be empty, so that no two runs get mixed.
Status MakeDirectory(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0) return {};
  if (errno != EEXIST) return Fail(SystemError("cannot make", path, errno));
  std::error_code error;
  const bool empty = std::filesystem::is_empty(path, error);
  if (error || !empty || !std::filesystem::is_directory(path, error)) {
    return Fail(ErrorCode::kUsage,
                path + ": is there already; name a directory for the evidence that is not");
  }
  return {};
}

std::string PathIn(const std::string& directory, std::string_view name) {
  return (std::filesystem::path(directory) / name).string();
}

Result<std::unique_ptr<EvidenceSink>> CreateRecords(const std::string& directory) {
  const std::string path = PathIn(directory, kRecordsFile);
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return Fail(SystemError("cannot create", path, errno));
  return std::make_unique<FileSink>(path, fd);
}

void Text(Writer& w, std::string_view name, std::string_view value) {
  w.Key(name).String(WellFormed(value));
}
void OptionalText(Writer& w, std::string_view name, std::string_view value) {
  if (value.empty()) {
    w.Key(name).Null();
  } else {
    Text(w, name, value);
  }
}
void Texts(Writer& w, std::string_view name, const std::vector<std::string>& values) {
  w.Key(name).BeginArray();
  for (const std::string& value : values) w.String(WellFormed(value));
  w.EndArray();
}
void Number(Writer& w, std::string_view name, std::uint64_t value) {
  w.Key(name).Int(static_cast<std::int64_t>(value));
}
void Time(Writer& w, std::string_view name, TimePoint time) {
  w.Key(name).String(FormatIso8601Millis(time));
}

void ClosedMember(Writer& w, const std::optional<Target::Closed>& closed) {
  w.Key("closed");
  if (!closed) {
    w.Null();
    return;
  }
  w.BeginObject();
  Text(w, "status", RegionStatusName(closed->status));
  Text(w, "detail", closed->detail);
  w.EndObject();
}

// AppendAnswer: the members of a call record from http_status to body_sha256.
void AppendAnswer(Writer& w, const http::ClientResponse* response) {
  if (response == nullptr) {
    for (const std::string_view name : {"http_status", "request_id", "error_type", "server_date",
                                        "body", "body_base64", "body_sha256"}) {
      w.Key(name).Null();
    }
    return;
  }
  w.Key("http_status").Int(response->status);
  OptionalText(w, "request_id", response->Header("x-amzn-requestid"));
  OptionalText(w, "error_type", response->Header("x-amzn-errortype"));
  OptionalText(w, "server_date", response->Header("date"));
  const std::string& body = response->body;
  if (WellFormed(body) == body) {
    w.Key("body").String(body).Key("body_base64").Null();
  } else {
    w.Key("body").Null().Key("body_base64").Base64(AsBytes(body));
  }
  w.Key("body_sha256").String(HexEncode(crypto::Sha256(AsBytes(body))));
}

bool IsSame(const Target& a, const Target& b) {
  return a.endpoint_url == b.endpoint_url && a.account == b.account && a.caller == b.caller &&
         a.regions == b.regions && a.all_regions == b.all_regions;
}

void FileMember(Writer& w, std::string_view name, std::uint64_t bytes,
                const crypto::Sha256Digest& digest) {
  w.BeginObject();
  Text(w, "name", name);
  Number(w, "bytes", bytes);
  Text(w, "sha256", HexEncode(digest));
  w.EndObject();
}

}  // namespace

crypto::Sha256Digest GenesisLink(std::string_view run_id) {
  return crypto::Sha256(AsBytes("keyturn-evidence-v1\n" + std::string(run_id) + "\n"));
}

Result<std::unique_ptr<EvidenceRecorder>> EvidenceRecorder::Create(EvidenceOptions options,
                                                                   const Clock& clock) {
  KT_TRY(MakeDirectory(options.directory));
  KT_ASSIGN(auto sink, CreateRecords(options.directory));
  return CreateWith(std::move(options), clock, std::move(sink));
}

Result<std::unique_ptr<EvidenceRecorder>> EvidenceRecorder::CreateWith(
    EvidenceOptions options, const Clock& clock, std::unique_ptr<EvidenceSink> sink) {
  std::unique_ptr<EvidenceRecorder> recorder(
      new EvidenceRecorder(std::move(options), clock, std::move(sink)));
  if (recorder->failed()) return Fail(recorder->status_.error());
  return recorder;
}

EvidenceRecorder::EvidenceRecorder(EvidenceOptions options, const Clock& clock,
                                   std::unique_ptr<EvidenceSink> sink)
    : options_(std::move(options)),
      clock_(clock),
      sink_(std::move(sink)),
      started_(clock.Now()),
      synced_(started_),
      link_(GenesisLink(options_.run_id)) {
  std::string text;
  Writer w(text);
  w.BeginObject();
  Number(w, "seq", 0);
  Text(w, "kind", "begin");
  Text(w, "format", kEvidenceFormat);
  Text(w, "run_id", options_.run_id);
  Text(w, "command", options_.command);
  Text(w, "tool_version", options_.tool_version);
  Time(w, "time", started_);
  w.EndObject();
  Append(std::move(text));
  first_link_ = link_;
}

void EvidenceRecorder::Append(std::string text) {
  if (failed()) return;
  text.pop_back();  // the brace, which the link's member comes before
  const std::array<ByteView, 2> parts = {ByteView(link_), AsBytes(text)};
  link_ = crypto::Sha256Parts(parts);
  text += ",\"link\":\"";
  HexAppend(link_, text);
  text += "\"}\n";
  status_ = sink_->Append(text);
  whole_.Update(AsBytes(text));
  bytes_ += text.size();
  ++count_;
  SyncNowAndThen();
}

void EvidenceRecorder::SyncNowAndThen() {
  const TimePoint now = clock_.Now();
  if (failed() || now - synced_ < kSyncEvery) return;
  synced_ = now;
  status_ = sink_->Sync();
}

std::size_t EvidenceRecorder::AddTarget(const Target& target) {
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    if (IsSame(targets_[i], target)) return i;
  }
  targets_.push_back(target);
  std::string text;
  Writer w(text);
  w.BeginObject();
  Number(w, "seq", count_);
  Text(w, "kind", "target");
  Number(w, "target", targets_.size() - 1);
  OptionalText(w, "endpoint", target.endpoint_url);
  OptionalText(w, "account", target.account);
  Texts(w, "regions", target.regions);
  w.Key("all_regions").Bool(target.all_regions);
  OptionalText(w, "caller", target.caller);
  ClosedMember(w, target.closed);
  w.EndObject();
  Append(std::move(text));
  return targets_.size() - 1;
}

void EvidenceRecorder::AddOpened(std::size_t target, const Access::Open& opened) {
  std::string text;
  Writer w(text);
  w.BeginObject();
  Number(w, "seq", count_);
  Text(w, "kind", "opened");
  Number(w, "target", target);
  Texts(w, "regions", opened.regions);
  Texts(w, "not_enabled", opened.not_enabled);
  OptionalText(w, "note", opened.note);
  OptionalText(w, "caller_arn", opened.caller_arn);
  w.EndObject();
  Append(std::move(text));
}

void EvidenceRecorder::AddRefused(std::size_t target, const Target::Closed& refused) {
  std::string text;
  Writer w(text);
  w.BeginObject();
  Number(w, "seq", count_);
  Text(w, "kind", "refused");
  Number(w, "target", target);
  Text(w, "status", RegionStatusName(refused.status));
  Text(w, "detail", refused.detail);
  w.EndObject();
  Append(std::move(text));
}

client::Observer EvidenceRecorder::ObserverOf(std::size_t target) {
  return [this, target](const client::Exchange& exchange) { AddCall(target, exchange); };
}

void EvidenceRecorder::AddCall(std::size_t target, const client::Exchange& exchange) {
  std::string text;
  text.reserve(768 + exchange.request.size() +
               (exchange.response == nullptr ? 0 : exchange.response->body.size() * 5 / 4));
  Writer w(text);
  w.BeginObject();
  Number(w, "seq", count_);
  Text(w, "kind", "call");
  Number(w, "target", target);
  Time(w, "time", clock_.Now());
  Text(w, "operation", exchange.operation);
  Text(w, "region", exchange.region);
  Text(w, "endpoint", exchange.endpoint);
  Text(w, "request", exchange.request);
  w.Key("attempt").Int(exchange.attempt);
  Text(w, "outcome", exchange.error == nullptr ? "ok" : exchange.again ? "retried" : "failed");
  AppendAnswer(w, exchange.response);
  w.Key("error");
  if (exchange.error == nullptr) {
    w.Null();
  } else {
    w.BeginObject();
    Text(w, "code", exchange.error->code);
    Text(w, "message", exchange.error->message);
    w.EndObject();
  }
  w.EndObject();
  ++calls_;
  Append(std::move(text));
}

Status EvidenceRecorder::Finish(const Conclusion& conclusion, const Sign& sign) {
  std::string text;
  Writer w(text);
  w.BeginObject();
  Number(w, "seq", count_);
  Text(w, "kind", "end");
  Time(w, "time", clock_.Now());
  Number(w, "calls", calls_);
  w.Key("cancelled").Bool(conclusion.cancelled);
  w.EndObject();
  Append(std::move(text));
  KT_TRY(status_);
  status_ = sink_->Sync();
  KT_TRY(status_);
  status_ = WriteFiles(conclusion, sign);
  return status_;
}

void EvidenceRecorder::DiscardUnused() {
  if (calls_ > 0) return;
  unlink(PathIn(options_.directory, kRecordsFile).c_str());
  rmdir(options_.directory.c_str());  // stays when it holds anything else
}

Result<EvidenceRecorder::Written> EvidenceRecorder::WriteOne(const File& file) {
  Written written;
  written.name = file.name;
  crypto::Sha256Stream digest;
  const TextSource source = file.source ? file.source : WholeText(file.text);
  KT_TRY(WriteWholeFile(
      PathIn(options_.directory, file.name),
      [&](const TextSink& sink) {
        return source([&](std::string_view piece) -> Status {
          digest.Update(AsBytes(piece));
          written.bytes += piece.size();
          return sink(piece);
        });
      },
      MayReplace::kEmptyOnly));
  written.digest = digest.Finish();
  return written;
}

Status EvidenceRecorder::WriteFiles(const Conclusion& conclusion, const Sign& sign) {
  std::vector<Written> files;
  for (const File& file : conclusion.files) {
    KT_ASSIGN(files.emplace_back(), WriteOne(file));
  }
  const std::string manifest = ManifestText(conclusion, files);
  // Signatures come before the manifest: with it the bundle is finished.
  if (sign) {
    KT_ASSIGN(const std::vector<File> signatures, sign(manifest));
    for (const File& file : signatures) KT_TRY(WriteOne(file));
  }
  return WriteWholeFile(PathIn(options_.directory, kManifestFile), manifest,
                        MayReplace::kEmptyOnly);
}

std::string EvidenceRecorder::ManifestText(const Conclusion& conclusion,
                                           const std::vector<Written>& files) {
  std::string text;
  Writer w(text, Writer::Style::kPretty);
  w.BeginObject();
  Text(w, "format", kEvidenceFormat);
  Text(w, "run_id", options_.run_id);
  Text(w, "command", options_.command);
  Text(w, "tool_version", options_.tool_version);
  Time(w, "started", started_);
  Time(w, "finished", clock_.Now());
  w.Key("arguments").BeginObject();
  for (const auto& [name, value] : options_.arguments) Text(w, name, value);
  w.EndObject().Key("policy");
  if (conclusion.policy) {
    w.BeginObject().Key("max_period_days").Int(conclusion.policy->max_period_days);
    w.Key("strict_disabled").Bool(conclusion.policy->strict_disabled).EndObject();
  } else {
    w.Null();
  }
  w.Key("records").BeginObject();
  Number(w, "count", count_);
  Number(w, "calls", calls_);
  Text(w, "first_link", HexEncode(first_link_));
  Text(w, "head", HexEncode(link_));
  w.EndObject().Key("files").BeginArray();
  FileMember(w, kRecordsFile, bytes_, whole_.Finish());
  for (const Written& file : files) FileMember(w, file.name, file.bytes, file.digest);
  w.EndArray().EndObject();
  text += '\n';
  return text;
}

}  // namespace keyturn::control
