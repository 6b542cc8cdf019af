// Inventory: the calls of an audit, and the facts that they tell. Private to this room.
//
// Thread-safety: one thread, which pumps the client.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/time.h"
#include "client/kms_client.h"
#include "control/answers.h"
#include "control/monitor.h"
#include "control/run.h"

namespace keyturn::control {

class Inventory {
 public:
  // client, clock and monitor must outlive the inventory.
  Inventory(client::KmsClient& client, const std::vector<std::string>& regions, const Clock& clock,
            const Monitor& monitor);

  // Read makes the calls and returns when all is read or the monitor has cancelled.
  void Read();
  // ReadTags reads the tags of some keys, by index into keys().
  void ReadTags(const std::vector<std::size_t>& indexes);

  bool cancelled() const { return cancelled_; }
  std::vector<KeyResult>& keys() { return keys_; }
  // Regions: what became of each region.
  std::vector<RegionResult> Regions() const;

 private:
  struct RegionScan {
    std::string region;
    std::string account;
    RegionStatus status = RegionStatus::kScanned;
    client::CallError error;  // of ListKeys
    std::string aliases_failure;
    std::uint64_t listed = 0;
    bool listing_done = false;
    bool aliases_done = false;
    std::unordered_set<std::string> arns;
    std::unordered_map<std::string, std::vector<std::string>> aliases;  // by key id
    std::set<std::string> key_markers;
    std::set<std::string> alias_markers;
    std::vector<std::size_t> queue;  // keys to be described
    std::size_t next = 0;
    std::size_t under_way = 0;
  };

  void ListKeys(RegionScan& scan, std::string_view marker);
  void OnKeys(RegionScan& scan, const client::CallResult& result);
  void ListAliases(RegionScan& scan, std::string_view marker);
  void OnAliases(RegionScan& scan, const client::CallResult& result);
  void Advance(RegionScan& scan);
  bool TakeAliases(RegionScan& scan, KeyFacts& facts);

  void Describe(RegionScan& scan, std::size_t index, int attempt);
  void OnDescribed(RegionScan& scan, std::size_t index, int attempt,
                   const client::CallResult& result);
  void ReadRotation(RegionScan& scan, std::size_t index);
  void KeyDone(RegionScan& scan);
  void ReadReplicas();
  void ReadTagPage(std::size_t index, std::string_view marker, int page);
  void Drain();
  void MarkUnreached();

  client::KmsClient& client_;
  const Monitor& monitor_;
  ProgressMeter meter_;
  Answers answers_;
  std::vector<std::unique_ptr<RegionScan>> scans_;
  std::vector<KeyResult> keys_;
  std::vector<std::size_t> replicas_;  // judged by their primaries, if these can be read
  std::uint64_t done_ = 0;
  bool cancelled_ = false;
};

}  // namespace keyturn::control
