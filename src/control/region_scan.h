// RegionScan and TargetScan: what an inventory knows of a region and of its target while it reads,
// and what that means in the end. Private to this room. Thread-safety: values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "client/kms_client.h"
#include "control/run.h"
#include "control/target.h"

namespace keyturn::control {

struct TargetScan;

struct RegionScan {
  TargetScan* target = nullptr;
  std::string region;
  std::string account;
  RegionStatus status = RegionStatus::kScanned;
  client::CallError error;  // of ListKeys
  std::string refused;      // why the region is not scanned although ListKeys answered
  std::string aliases_failure;
  std::uint64_t listed = 0;
  bool listing_done = false;
  bool not_enabled = false;  // the account says so itself
  bool aliases_done = false;
  std::string held_marker;                   // the next page, once enough keys are described
  std::unordered_set<std::string_view> ids;  // of keys listed, while listing goes on
  std::unordered_map<std::string, std::vector<std::string>> aliases;  // by key id
  std::set<std::string> key_markers;
  std::set<std::string> alias_markers;
  std::deque<KeyResult> keys;
  std::size_t next = 0;  // keys[next] is the first that is not asked about
  std::size_t under_way = 0;
  std::vector<std::size_t> replicas;  // judged by their primaries, if these can be read

  // TakeAliases gives the key its aliases: true when one of them marks it as AWS managed; nobody
  // else can make such names.
  bool TakeAliases(KeyFacts& facts);
  // MarkUnreached: a key that was listed and never asked about is not known; it must not be lost.
  void MarkUnreached();
  // Conclude tells what an error of ListKeys means for the region.
  void Conclude(bool credentials_work, RegionResult& result) const;
};

struct TargetScan {
  enum class Step { kWaiting, kOpening, kScanning, kReplicas, kRotations, kTags, kDone };

  const Target* target = nullptr;
  Step step = Step::kWaiting;
  client::KmsClient* client = nullptr;
  std::optional<Target::Closed> closed;
  std::vector<std::unique_ptr<RegionScan>> scans;
  std::size_t busy = 0;  // calls and pages under way in the current step

  // Results: what became of each region.
  std::vector<RegionResult> Results() const;
};

// UnreachedFailure: of a call that a stopped run has not made any more.
CallFailure UnreachedFailure(const char* operation);

// ErrorText: "AccessDeniedException: message".
std::string ErrorText(const client::CallError& error);

}  // namespace keyturn::control
