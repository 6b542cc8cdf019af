// Inventory: the calls of an audit, and the facts that they tell. Private to this room.
//
// Targets are worked on side by side, so many at once as the Access allows. A region is listed no
// faster than its keys are described, so that what is known of keys not asked about stays small.
// Thread-safety: one thread, which pumps the access.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/time.h"
#include "client/kms_client.h"
#include "control/answers.h"
#include "control/audit_state.h"
#include "control/facts_cache.h"
#include "control/key_pages.h"
#include "control/monitor.h"
#include "control/region_scan.h"
#include "control/run.h"
#include "control/target.h"

namespace keyturn::control {

struct InventoryOptions {
  // wants_tags says whether the tags of a key that has been read are to be read, too; empty: never.
  std::function<bool(const KeyFacts&)> wants_tags;
  // wants_rotations: the same for when the key was last rotated, asked before wants_tags.
  std::function<bool(const KeyFacts&)> wants_rotations;
  FactsCache* cache = nullptr;  // may be null
  AuditState* state = nullptr;  // may be null
};

class Inventory {
 public:
  // All that is passed must outlive the inventory.
  Inventory(Access& access, const std::vector<Target>& targets, const Clock& clock,
            const Monitor& monitor, InventoryOptions options);

  // Read makes the calls and returns when all is read or the monitor has cancelled.
  void Read();

  bool cancelled() const { return cancelled_; }
  // TakeKeys: every key that was listed, in no order.
  std::vector<KeyResult> TakeKeys();
  // Regions: what became of each region of each target.
  std::vector<RegionResult> Regions() const;
  // Listed: endpoint, account and region of what was listed to its end.
  std::set<FactsCache::Place> Listed() const;
  // Notes: what the access had to say, each once.
  const std::set<std::string>& notes() const { return notes_; }

 private:
  using Scan = RegionScan;
  using Step = TargetScan::Step;

  void KeepState();
  void OpenNext();
  void OnOpened(TargetScan& target, const tl::expected<Access::Open, Target::Closed>& opened);
  static void SetRegions(TargetScan& target, const Access::Open& opened);
  void NextStep(TargetScan& target);
  void Call(Scan& scan, std::string_view operation, std::string body,
            std::function<void(const client::CallResult&)> done,
            std::chrono::milliseconds delay = {});
  KeyPages::Call CallsOf(Scan& scan);

  void ListKeys(Scan& scan, std::string_view marker);
  void OnKeys(Scan& scan, const client::CallResult& result);
  bool Claim(Scan& scan, std::string_view first_arn);
  void ListAliases(Scan& scan, std::string_view marker);
  void OnAliases(Scan& scan, const client::CallResult& result);
  void Advance(Scan& scan);

  void Describe(Scan& scan, std::size_t index, int attempt);
  void OnDescribed(Scan& scan, std::size_t index, int attempt, const client::CallResult& result);
  void ReadRotation(Scan& scan, std::size_t index);
  bool Known(Scan& scan, std::size_t index);
  bool PrimaryWillTell(const Scan& scan, const KeyFacts& facts) const;
  void KeyDone(Scan& scan, std::size_t index);
  void ReadReplicas(TargetScan& target);
  void ReadRotations(TargetScan& target);
  void ReadTags(TargetScan& target);

  Access& access_;
  const Clock& clock_;
  const Monitor& monitor_;
  const InventoryOptions options_;
  ProgressMeter meter_;
  Answers answers_;
  KeyPages pages_{answers_};
  std::vector<std::unique_ptr<TargetScan>> targets_;
  std::set<std::string> notes_;
  std::size_t next_target_ = 0;
  std::size_t open_ = 0;
  std::size_t listings_left_ = 0;  // regions whose listing has not ended
  // claimed: who scans an account's region, so that two callers of one account count its keys once.
  std::map<std::tuple<std::string, std::string, std::string>, const TargetScan*> claimed_;
  std::uint64_t listed_ = 0;
  std::uint64_t done_ = 0;
  TimePoint state_kept_{};
  bool cancelled_ = false;
};

}  // namespace keyturn::control
