// EvidenceReplay: the recorded answers, given again to whoever asks for them: an audit that runs
// over it concludes what the recorded one concluded, or the record is wrong. Private to this room.
//
// Answers come in the order in which they were recorded, so what depends on that order comes out
// the same. Memory: where each answer stands in the file, not the answers.
// Thread-safety: one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <queue>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "control/evidence_bundle.h"
#include "control/target.h"

namespace keyturn::control {

class EvidenceReplay final : public Access {
 public:
  // ReadAt returns a line of the records again.
  using ReadAt = std::function<Result<std::string>(std::uint64_t offset, std::size_t bytes)>;
  explicit EvidenceReplay(ReadAt read_at);
  ~EvidenceReplay() override;

  // Add takes a record; all are added before the first Begin.
  void Add(const EvidenceRecord& record, std::uint64_t offset, std::size_t bytes);
  const std::vector<Target>& targets() const { return targets_; }

  // missing: the first answer that was asked for and is not recorded; empty: none.
  const std::string& missing() const { return missing_; }
  // unused: the first recorded answer that nobody asked for, by its number.
  std::optional<std::uint64_t> unused() const;
  // broken: a line that could not be read again.
  const std::string& broken() const { return broken_; }

  void Begin(const Target& target, Opened opened) override;
  void Close(client::KmsClient* client) override;
  std::size_t Pump(std::chrono::milliseconds max_wait) override;
  void CancelAll() override {}
  std::map<std::string, client::OperationCount, std::less<>> counts() const override { return {}; }
  std::size_t open_max() const override { return targets_.size() + 1; }

 private:
  class Client;
  struct Place {
    std::uint64_t seq = 0;
    std::uint64_t offset = 0;
    std::size_t bytes = 0;
  };
  struct Answers {
    std::vector<Place> places;
    std::size_t next = 0;
  };
  struct Outcome {
    std::optional<Open> opened;
    std::optional<Closed> refused;
  };
  struct Pending {
    std::uint64_t order = 0;
    Place place;  // bytes 0: not recorded
    client::KmsClient::Done done;
    bool operator<(const Pending& other) const { return order > other.order; }
  };
  void Ask(std::size_t target, std::string_view operation, std::string_view region,
           std::string_view request, client::KmsClient::Done done);
  client::CallResult AnswerAt(const Place& place);

  const ReadAt read_at_;
  RecordChain reader_;
  std::vector<Target> targets_;
  std::vector<Outcome> outcomes_;
  std::unordered_map<std::string, Answers> answers_;
  std::priority_queue<Pending> pending_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::uint64_t unrecorded_ = 0;
  std::string missing_;
  std::string broken_;
};

}  // namespace keyturn::control
