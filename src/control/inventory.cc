#include "control/inventory.h"

#include <algorithm>
#include <iterator>
#include <unordered_map>
#include <utility>

#include "control/evaluate.h"
#include "model/arn.h"

namespace keyturn::control {
namespace {

using client::CallResult;

// Keys of one region with a call under way or queued: enough to keep every lane busy.
constexpr std::size_t kKeysUnderWayMax = 256;
// The next page of a listing waits while so many keys have not been asked about.
constexpr std::size_t kKeysAheadMax = 2000;
// A key that is being created or updated is looked at again.
constexpr int kSettleAttempts = 5;
constexpr std::chrono::milliseconds kSettlePause{2000};
constexpr std::chrono::milliseconds kPumpWait{100};

std::string AccountOf(std::string_view arn) {
  const auto parsed = model::Arn::Parse(arn);
  return parsed ? std::string(parsed->account) : std::string();
}

bool IsSettling(const KeyFacts& facts) {
  return facts.key_state == "Creating" || facts.key_state == "Updating";
}

}  // namespace

Inventory::Inventory(Access& access, const std::vector<Target>& targets, const Clock& clock,
                     const Monitor& monitor, InventoryOptions options)
    : access_(access),
      clock_(clock),
      monitor_(monitor),
      options_(std::move(options)),
      meter_(monitor, clock, access, "auditing") {
  for (const Target& target : targets) {
    auto scan = std::make_unique<TargetScan>();
    scan->target = &target;
    for (const std::string& region : target.regions) {
      scan->scans.push_back(std::make_unique<Scan>());
      scan->scans.back()->target = scan.get();
      scan->scans.back()->region = region;
      scan->scans.back()->account = target.account;
    }
    listings_left_ += target.regions.size();
    targets_.push_back(std::move(scan));
  }
}

void Inventory::Read() {
  OpenNext();
  while (open_ > 0 || access_.Pump(std::chrono::milliseconds(0)) > 0) {
    access_.Pump(kPumpWait);
    if (!cancelled_ && monitor_.Stops(clock_.Now())) {
      cancelled_ = true;
      access_.CancelAll();
    }
    OpenNext();
    meter_.Report(done_, listed_, listings_left_ == 0);
    KeepState();
  }
  meter_.Report(done_, listed_, true);
  for (const auto& target : targets_) {
    for (const auto& scan : target->scans) scan->MarkUnreached();
  }
}

// KeepState hands what was read to the file about once a second.
void Inventory::KeepState() {
  if (options_.state == nullptr || clock_.Now() - state_kept_ < std::chrono::seconds(1)) return;
  state_kept_ = clock_.Now();
  if (const Status kept = options_.state->Flush(); !kept) {
    notes_.insert("the state is not kept any more: " + kept.error().message);
  }
}

// OpenNext keeps as many targets at work as the access allows.
void Inventory::OpenNext() {
  while (!cancelled_ && open_ < access_.open_max() && next_target_ < targets_.size()) {
    TargetScan& target = *targets_[next_target_++];
    if (target.target->closed) {
      target.closed = target.target->closed;
      target.step = Step::kDone;
      listings_left_ -= target.scans.size();
      continue;
    }
    ++open_;
    target.step = Step::kOpening;
    access_.Begin(*target.target,
                  [this, &target](const auto& opened) { OnOpened(target, opened); });
  }
}

void Inventory::OnOpened(TargetScan& target,
                         const tl::expected<Access::Open, Target::Closed>& opened) {
  if (!opened) {
    target.closed = opened.error();
    target.step = Step::kDone;
    listings_left_ -= target.scans.size();
    --open_;
    return;
  }
  target.client = opened->client;
  if (!opened->note.empty()) notes_.insert(opened->note);
  if (target.target->all_regions) {
    listings_left_ -= target.scans.size();
    SetRegions(target, *opened);
    listings_left_ += static_cast<std::size_t>(
        std::count_if(target.scans.begin(), target.scans.end(),
                      [](const auto& scan) { return !scan->not_enabled; }));
  }
  target.step = Step::kScanning;
  // One more than the calls, so that the step does not end before all of them are made.
  ++target.busy;
  for (const auto& scan : target.scans) {
    if (scan->not_enabled) continue;
    ListKeys(*scan, {});
    ListAliases(*scan, {});
  }
  --target.busy;
  NextStep(target);
}

// SetRegions takes the account's own regions in place of those that were supposed.
void Inventory::SetRegions(TargetScan& target, const Access::Open& opened) {
  target.scans.clear();
  const auto add = [&target](const std::string& region, bool not_enabled) {
    auto scan = std::make_unique<Scan>();
    scan->target = &target;
    scan->region = region;
    scan->account = target.target->account;
    scan->not_enabled = not_enabled;
    target.scans.push_back(std::move(scan));
  };
  for (const std::string& region : opened.regions) add(region, false);
  for (const std::string& region : opened.not_enabled) add(region, true);
}

// NextStep goes on with a target once the calls of its step have ended.
void Inventory::NextStep(TargetScan& target) {
  while (target.busy == 0 && target.step != Step::kDone) {
    ++target.busy;
    if (target.step == Step::kScanning) {
      target.step = Step::kReplicas;
      ReadReplicas(target);
    } else if (target.step == Step::kReplicas) {
      target.step = Step::kRotations;
      if (options_.wants_rotations) ReadRotations(target);
    } else if (target.step == Step::kRotations) {
      target.step = Step::kTags;
      if (options_.wants_tags) ReadTags(target);
    } else {
      target.step = Step::kDone;
      access_.Close(std::exchange(target.client, nullptr));
      --open_;
    }
    --target.busy;
  }
}

void Inventory::Call(Scan& scan, std::string_view operation, std::string body,
                     std::function<void(const CallResult&)> done, std::chrono::milliseconds delay) {
  TargetScan& target = *scan.target;
  ++target.busy;
  target.client->Call(
      operation, scan.region, std::move(body),
      [this, &target, done = std::move(done)](const CallResult& result) {
        done(result);
        --target.busy;
        NextStep(target);
      },
      delay);
}

KeyPages::Call Inventory::CallsOf(Scan& scan) {
  return [this, &scan](std::string_view operation, std::string body, KeyPages::Done done) {
    Call(scan, operation, std::move(body), std::move(done));
  };
}

void Inventory::ListKeys(Scan& scan, std::string_view marker) {
  Call(scan, "ListKeys", PageBody(1000, marker),
       [this, &scan](const CallResult& result) { OnKeys(scan, result); });
}

// Claim: false when the keys are not this region's to count.
bool Inventory::Claim(Scan& scan, std::string_view first_arn) {
  const Target& target = *scan.target->target;
  const std::string account = AccountOf(first_arn);
  if (!target.account.empty() && account != target.account) {
    scan.refused = "the credentials are of account " + account;
  } else {
    scan.account = account;
    const auto [claim, is_new] =
        claimed_.try_emplace({target.endpoint_url, account, scan.region}, scan.target);
    if (is_new || claim->second == scan.target) return true;
    scan.refused =
        "account " + account + " is scanned already as " + TargetName(*claim->second->target);
  }
  scan.status = RegionStatus::kError;
  return false;
}

void Inventory::OnKeys(Scan& scan, const CallResult& result) {
  const auto fail = [&scan](client::CallError error) {
    scan.status = RegionStatus::kError;
    scan.error = std::move(error);
  };
  std::string marker;
  if (!result) {
    fail(result.error());
  } else if (auto page = answers_.ListKeys(result->body); !page) {
    fail({std::string(client::kMalformedAnswer), page.error().message, result->request_id, 200});
  } else if (page->items.empty() || scan.listed > 0 || Claim(scan, page->items.front().arn)) {
    marker = page->next_marker;
    for (ListedKey& key : page->items) {
      // A key that is created while pages are read may move to a later one.
      if (scan.ids.contains(key.arn)) continue;
      KeyFacts& facts = scan.keys.emplace_back().facts;
      facts.endpoint_url = scan.target->target->endpoint_url;
      facts.account = AccountOf(key.arn);
      facts.region = scan.region;
      facts.arn = std::move(key.arn);
      facts.key_id = std::move(key.key_id);
      scan.ids.insert(facts.arn);
      ++scan.listed;
      ++listed_;
    }
    if (!marker.empty() && !scan.key_markers.insert(marker).second) {
      fail({std::string(client::kMalformedAnswer), "ListKeys goes round in circles",
            result->request_id, 200});
      marker.clear();
    }
  }
  if (marker.empty()) {
    scan.listing_done = true;
    --listings_left_;
    scan.ids = {};
    scan.key_markers.clear();
  } else {
    scan.held_marker = std::move(marker);
  }
  Advance(scan);
}

void Inventory::ListAliases(Scan& scan, std::string_view marker) {
  Call(scan, "ListAliases", PageBody(100, marker),
       [this, &scan](const CallResult& result) { OnAliases(scan, result); });
}

// OnAliases: without aliases every key is described, and that tells as much; so a failure here is
// mentioned, and matters only to scopes and exceptions by alias.
void Inventory::OnAliases(Scan& scan, const CallResult& result) {
  std::string marker;
  if (!result) {
    scan.aliases_failure = ErrorText(result.error());
  } else if (auto page = answers_.ListAliases(result->body); !page) {
    scan.aliases_failure = page.error().message;
  } else {
    for (ListedAlias& alias : page->items) {
      if (!alias.key_id.empty()) scan.aliases[alias.key_id].push_back(std::move(alias.name));
    }
    marker = page->next_marker;
    if (!scan.alias_markers.insert(marker).second) marker.clear();
  }
  if (!marker.empty()) {
    ListAliases(scan, marker);
    return;
  }
  scan.aliases_done = true;
  scan.alias_markers.clear();
  Advance(scan);
}

void Inventory::Advance(Scan& scan) {
  while (scan.aliases_done && scan.next < scan.keys.size() && scan.under_way < kKeysUnderWayMax) {
    const std::size_t index = scan.next++;
    KeyFacts& facts = scan.keys[index].facts;
    if (scan.TakeAliases(facts)) {
      facts.key_manager = "AWS";
      ++done_;
      continue;
    }
    if (Known(scan, index)) {
      ++done_;
      continue;
    }
    ++scan.under_way;
    Describe(scan, index, 1);
  }
  if (!scan.held_marker.empty() && scan.keys.size() - scan.next < kKeysAheadMax) {
    ListKeys(scan, std::exchange(scan.held_marker, {}));
  }
}

// Known: an earlier run has read the key, or it is of a kind that needs no call.
bool Inventory::Known(Scan& scan, std::size_t index) {
  KeyFacts& facts = scan.keys[index].facts;
  if (options_.state != nullptr && options_.state->Take(facts)) {
    if (options_.cache != nullptr) options_.cache->Note(facts);
    if (!facts.rotation && MayRotate(facts) && PrimaryWillTell(scan, facts)) {
      scan.replicas.push_back(index);
    }
    return true;
  }
  return options_.cache != nullptr && options_.cache->Fill(facts);
}

// PrimaryWillTell: the setting of an enabled replica is its primary's, if that is in this audit.
bool Inventory::PrimaryWillTell(const Scan& scan, const KeyFacts& facts) const {
  const auto& scans = scan.target->scans;
  return IsReplica(facts) && facts.key_state == "Enabled" &&
         std::any_of(scans.begin(), scans.end(),
                     [&facts](const auto& other) { return other->region == facts.primary_region; });
}

void Inventory::Describe(Scan& scan, std::size_t index, int attempt) {
  Call(
      scan, "DescribeKey", KeyIdBody(scan.keys[index].facts.key_id),
      [this, &scan, index, attempt](const CallResult& result) {
        OnDescribed(scan, index, attempt, result);
      },
      attempt == 1 ? std::chrono::milliseconds(0) : kSettlePause);
}

void Inventory::OnDescribed(Scan& scan, std::size_t index, int attempt, const CallResult& result) {
  KeyFacts& facts = scan.keys[index].facts;
  if (!result) {
    facts.describe_failure = FailureOf("DescribeKey", result.error());
  } else if (const Status read = answers_.DescribeKey(result->body, facts); !read) {
    facts.describe_failure = FailureOf("DescribeKey", read.error());
  } else if (IsSettling(facts) && attempt < kSettleAttempts) {
    Describe(scan, index, attempt + 1);
    return;
  } else if (MayRotate(facts)) {
    if (!PrimaryWillTell(scan, facts)) {
      ReadRotation(scan, index);
      return;
    }
    scan.replicas.push_back(index);
  }
  KeyDone(scan, index);
}

void Inventory::ReadRotation(Scan& scan, std::size_t index) {
  Call(scan, "GetKeyRotationStatus", KeyIdBody(scan.keys[index].facts.key_id),
       [this, &scan, index](const CallResult& result) {
         KeyFacts& facts = scan.keys[index].facts;
         if (!result) {
           facts.rotation_failure = FailureOf("GetKeyRotationStatus", result.error());
         } else if (auto rotation = answers_.GetKeyRotationStatus(result->body); !rotation) {
           facts.rotation_failure = FailureOf("GetKeyRotationStatus", rotation.error());
         } else {
           facts.rotation = *rotation;
         }
         KeyDone(scan, index);
       });
}

void Inventory::KeyDone(Scan& scan, std::size_t index) {
  const KeyFacts& facts = scan.keys[index].facts;
  if (options_.state != nullptr) options_.state->Note(facts);
  if (options_.cache != nullptr) options_.cache->Note(facts);
  ++done_;
  --scan.under_way;
  Advance(scan);
}

// ReadReplicas reads the own copies of those replicas whose primaries told nothing. A multi-Region
// key is in one account.
void Inventory::ReadReplicas(TargetScan& target) {
  const bool any = std::any_of(target.scans.begin(), target.scans.end(),
                               [](const auto& scan) { return !scan->replicas.empty(); });
  if (!any) return;
  std::unordered_map<std::string_view, const KeyFacts*> primaries;
  for (const auto& scan : target.scans) {
    for (const KeyResult& key : scan->keys) {
      if (key.facts.multi_region && !IsReplica(key.facts)) {
        primaries.emplace(key.facts.arn, &key.facts);
      }
    }
  }
  for (const auto& scan : target.scans) {
    for (const std::size_t index : std::exchange(scan->replicas, {})) {
      const KeyFacts& facts = scan->keys[index].facts;
      const auto primary = primaries.find(facts.primary_arn);
      if (primary != primaries.end() && primary->second->key_state == "Enabled" &&
          primary->second->rotation) {
        continue;
      }
      --done_;
      ++scan->under_way;
      ReadRotation(*scan, index);
    }
  }
}

// ReadRotations: a run that is stopped asks no more, and what it would have asked for is not known.
void Inventory::ReadRotations(TargetScan& target) {
  for (const auto& scan : target.scans) {
    for (KeyResult& key : scan->keys) {
      if (!options_.wants_rotations(key.facts)) continue;
      if (cancelled_) {
        key.facts.rotations_failure = UnreachedFailure("ListKeyRotations");
      } else {
        pages_.ReadRotations(key.facts, CallsOf(*scan));
      }
    }
  }
}

// ReadTags: as ReadRotations.
void Inventory::ReadTags(TargetScan& target) {
  for (const auto& scan : target.scans) {
    for (KeyResult& key : scan->keys) {
      if (!options_.wants_tags(key.facts)) continue;
      if (cancelled_) {
        key.facts.tags_failure = UnreachedFailure("ListResourceTags");
      } else {
        pages_.ReadTags(key.facts, CallsOf(*scan));
      }
    }
  }
}

std::set<FactsCache::Place> Inventory::Listed() const {
  std::set<FactsCache::Place> listed;
  for (const auto& target : targets_) {
    for (const auto& scan : target->scans) {
      if (scan->listing_done && scan->status == RegionStatus::kScanned) {
        listed.insert({target->target->endpoint_url, scan->account, scan->region});
      }
    }
  }
  return listed;
}

std::vector<KeyResult> Inventory::TakeKeys() {
  std::vector<KeyResult> keys;
  keys.reserve(listed_);
  for (const auto& target : targets_) {
    for (const auto& scan : target->scans) {
      std::move(scan->keys.begin(), scan->keys.end(), std::back_inserter(keys));
      scan->keys = {};
    }
  }
  return keys;
}

std::vector<RegionResult> Inventory::Regions() const {
  std::vector<RegionResult> results;
  for (const auto& target : targets_) {
    auto mine = target->Results();
    std::move(mine.begin(), mine.end(), std::back_inserter(results));
  }
  return results;
}

}  // namespace keyturn::control
