// ChangeLoop: what apply, verify and backout have in common: accounts, regions and keys side by
// side, journal before calls. Private to this room.
//
// Entries that come up in one turn are flushed to disk together, and what depends on them is done
// afterwards.
// Thread-safety: one thread, which pumps the access.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/apply.h"
#include "control/history.h"
#include "control/key_reader.h"

namespace keyturn::control {

class ChangeLoop {
 public:
  virtual ~ChangeLoop() = default;
  ChangeLoop(const ChangeLoop&) = delete;
  ChangeLoop& operator=(const ChangeLoop&) = delete;

  // Run works on the keys given, by index into journal.changes.
  Result<ChangeRecord> Run(const std::vector<std::size_t>& indexes, const std::string& reason);

 protected:
  ChangeLoop(const Journal& journal, JournalSink& sink, const ChangeContext& context, Phase phase);

  // Start begins work on one key, which ends with Finish, in this call or in a callback.
  virtual void Start(std::size_t index) = 0;
  // Settled is told what became of each key that is through.
  virtual void Settled(ChangeOutcome) {}

  // Intend journals an intent, and runs call once it is on disk. When the run is being stopped the
  // key is dropped instead: nothing is begun that can be left alone.
  void Intend(std::size_t index, const KeyReading& reading, const RotationSetting& wanted,
              std::function<void()> call);
  // Note journals a result; the key goes on.
  void Note(std::size_t index, ChangeOutcome outcome, const std::string& detail,
            const std::string& request_id = {}, bool uncertain = false);
  // Finish journals a result, and the key is done.
  void Finish(std::size_t index, ChangeOutcome outcome, const std::string& detail,
              const std::string& request_id = {}, bool uncertain = false);
  // Drop ends a key that was not reached, without an entry.
  void Drop(std::size_t index);
  // FinishFailedWrite is Finish for a write that failed.
  void FinishFailedWrite(std::size_t index, const CallFailure& failure, int http_status);
  // AwaitSetting reads until wanted was seen twice in a row, patience is over, or, when hopeless,
  // something else was seen twice in a row. then gets what was seen last and whether it is wanted.
  struct Sighting {
    bool seen = false;
    std::string last;  // "off", or the failure
    bool stopped = false;
  };
  void AwaitSetting(std::size_t index, const RotationSetting& wanted, bool hopeless,
                    std::function<void(const Sighting&)> then);

  // Stop ends the run as soon as what is under way allows it; why is journaled and told.
  void Stop(std::string why);

  bool stopping() const { return stopping_; }
  client::KmsClient& client(std::size_t index) {
    return *places_[place_of_[index]].account->client;
  }
  const PlannedChange& change(std::size_t index) const { return journal_.changes[index]; }

  const Journal& journal_;
  const ChangeContext& context_;
  KeyReader reader_;
  std::vector<KeyHistory> histories_;
  std::optional<std::size_t> first_;  // journaled as this run's bound

 private:
  struct Await {
    std::size_t index = 0;
    RotationSetting wanted;
    bool hopeless = false;
    std::function<void(const Sighting&)> then;
    TimePoint begun;
    int in_a_row = 0;
    int others_in_a_row = 0;
  };
  void ReadAgain(const std::shared_ptr<Await>& await, std::chrono::milliseconds delay);
  void OnSetting(const std::shared_ptr<Await>& await,
                 const tl::expected<RotationSetting, CallFailure>& setting);

  // Account: the changes of one account on one endpoint.
  struct Account {
    Target target;
    client::KmsClient* client = nullptr;
    std::vector<std::size_t> places;
    std::size_t left = 0;  // keys that are not finished
  };
  // Place: those of one region of it, which share quotas.
  struct Place {
    Account* account = nullptr;
    std::deque<std::size_t> queue;
    std::size_t under_way = 0;
  };

  Status Flush();
  void CheckCancelled();
  ChangeLine& LineOf(std::size_t index);
  void Sort(const std::vector<std::size_t>& indexes);
  void OpenNext();
  void OnOpened(Account& account, const tl::expected<Access::Open, Target::Closed>& opened);
  void StartKeys();
  void Ended(std::size_t index);
  Status Work(const std::vector<std::size_t>& indexes);

  JournalSink& sink_;
  const Phase phase_;
  std::vector<JournalEntry> entries_;
  std::vector<std::function<void()>> after_flush_;
  std::vector<ChangeLine> lines_;
  std::vector<std::unique_ptr<Account>> accounts_;
  std::vector<Place> places_;
  std::vector<std::size_t> place_of_;  // by index of the change
  std::size_t next_account_ = 0;
  std::size_t first_open_ = 0;  // no account before it is at work
  std::size_t open_ = 0;
  std::size_t under_way_ = 0;
  std::size_t done_ = 0;
  bool stopping_ = false;
  std::string why_stopped_;  // empty: from outside
  bool broken_ = false;      // the journal cannot be written
  TimePoint stopped_;
};

// LineOf: a planned change that is pending.
ChangeLine LineOf(const PlannedChange& change);

}  // namespace keyturn::control
