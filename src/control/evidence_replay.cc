#include "control/evidence_replay.h"

#include <algorithm>
#include <limits>

namespace keyturn::control {
namespace {

// KeyOf: what an answer is an answer to. The parts hold no line breaks but in the request.
std::string KeyOf(std::size_t target, std::string_view operation, std::string_view region,
                  std::string_view request) {
  return (std::to_string(target) + '\n')
      .append(operation)
      .append("\n")
      .append(region)
      .append("\n")
      .append(request);
}

bool IsSame(const Target& a, const Target& b) {
  return a.endpoint_url == b.endpoint_url && a.account == b.account && a.caller == b.caller &&
         a.regions == b.regions && a.all_regions == b.all_regions;
}

}  // namespace

// Client asks on behalf of one target.
class EvidenceReplay::Client final : public client::KmsClient {
 public:
  Client(EvidenceReplay& replay, std::size_t target) : replay_(replay), target_(target) {}
  void Call(std::string_view operation, std::string_view region, std::string body, Done done,
            std::chrono::milliseconds) override {
    replay_.Ask(target_, operation, region, body, std::move(done));
  }
  std::size_t Pump(std::chrono::milliseconds max_wait) override { return replay_.Pump(max_wait); }
  std::optional<client::SteadyTime> SendDue() override { return std::nullopt; }
  std::size_t unfinished() const override { return replay_.pending_.size(); }
  void CancelAll() override {}
  void Observe(client::Observer) override {}
  const std::map<std::string, client::OperationCount, std::less<>>& counts() const override {
    return counts_;
  }
  bool is_aws() const override { return false; }
  double quota_used() const override { return 0; }

 private:
  EvidenceReplay& replay_;
  const std::size_t target_;
  std::map<std::string, client::OperationCount, std::less<>> counts_;
};

EvidenceReplay::EvidenceReplay(ReadAt read_at) : read_at_(std::move(read_at)) {}
EvidenceReplay::~EvidenceReplay() = default;

void EvidenceReplay::Add(const EvidenceRecord& record, std::uint64_t offset, std::size_t bytes) {
  if (record.described) {
    targets_.push_back(*record.described);
    outcomes_.emplace_back();
  } else if (record.opened) {
    outcomes_[record.target].opened = record.opened;
  } else if (record.refused) {
    outcomes_[record.target].refused = record.refused;
  } else if (record.call && record.call->outcome != "retried") {
    const EvidenceCall& call = *record.call;
    answers_[KeyOf(record.target, call.operation, call.region, call.request)].places.push_back(
        {record.seq, offset, bytes});
  }
}

std::optional<std::uint64_t> EvidenceReplay::unused() const {
  std::optional<std::uint64_t> first;
  for (const auto& [key, answers] : answers_) {
    if (answers.next == answers.places.size()) continue;
    const std::uint64_t seq = answers.places[answers.next].seq;
    if (!first || seq < *first) first = seq;
  }
  return first;
}

void EvidenceReplay::Begin(const Target& target, Opened opened) {
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    if (!IsSame(targets_[i], target)) continue;
    if (outcomes_[i].opened) {
      clients_.push_back(std::make_unique<Client>(*this, i));
      Open open = *outcomes_[i].opened;
      open.client = clients_.back().get();
      return opened(std::move(open));
    }
    if (outcomes_[i].refused) return opened(tl::unexpected(*outcomes_[i].refused));
    break;
  }
  if (missing_.empty()) missing_ = "what became of " + TargetName(target);
  opened(tl::unexpected(Closed{RegionStatus::kError, "not recorded"}));
}

// Close keeps the client: it may be the one whose callback runs.
void EvidenceReplay::Close(client::KmsClient*) {}

void EvidenceReplay::Ask(std::size_t target, std::string_view operation, std::string_view region,
                         std::string_view request, client::KmsClient::Done done) {
  Pending pending;
  pending.done = std::move(done);
  const auto found = answers_.find(KeyOf(target, operation, region, request));
  if (found != answers_.end() && found->second.next < found->second.places.size()) {
    pending.place = found->second.places[found->second.next++];
    pending.order = pending.place.seq;
  } else {
    if (missing_.empty()) {
      missing_ = std::string(operation) + " in " + std::string(region) + " with " +
                 std::string(request.substr(0, 200));
    }
    pending.order = std::numeric_limits<std::uint64_t>::max() / 2 + unrecorded_++;
  }
  pending_.push(std::move(pending));
}

std::size_t EvidenceReplay::Pump(std::chrono::milliseconds) {
  if (pending_.empty()) return 0;
  const Pending next = pending_.top();
  pending_.pop();
  if (next.place.bytes == 0) {
    next.done(tl::unexpected(
        client::CallError{std::string(client::kCancelled), "the run was stopped", {}, 0}));
  } else {
    next.done(AnswerAt(next.place));
  }
  return pending_.size();
}

client::CallResult EvidenceReplay::AnswerAt(const Place& place) {
  const auto line = read_at_(place.offset, place.bytes);
  const auto record = line ? reader_.Read(*line) : Result<EvidenceRecord>(Fail(line.error()));
  if (!record || !record->call) {
    if (broken_.empty()) broken_ = "record " + std::to_string(place.seq) + " cannot be read again";
    return tl::unexpected(client::CallError{std::string(client::kMalformedAnswer), broken_, {}, 0});
  }
  const EvidenceCall& call = *record->call;
  if (!call.response) return tl::unexpected(*call.error);
  if (call.response->status != 200) return tl::unexpected(client::FinalError(*call.response));
  return client::Answer{call.response->body,
                        std::string(call.response->Header("x-amzn-requestid"))};
}

}  // namespace keyturn::control
