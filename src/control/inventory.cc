#include "control/inventory.h"

#include <algorithm>
#include <iterator>
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
constexpr int kTagPagesMax = 10;
constexpr int kRotationPagesMax = 10;
constexpr std::chrono::milliseconds kPumpWait{100};

std::string AccountOf(std::string_view arn) {
  const auto parsed = model::Arn::Parse(arn);
  return parsed ? std::string(parsed->account) : std::string();
}

std::string ErrorText(const client::CallError& error) {
  return error.code + (error.message.empty() ? "" : ": " + error.message);
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
  MarkUnreached();
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
      if (options_.wants_rotations && !cancelled_) ReadRotations(target);
    } else if (target.step == Step::kRotations) {
      target.step = Step::kTags;
      if (options_.wants_tags && !cancelled_) ReadTags(target);
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
// mentioned and harms nothing.
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

// TakeAliases: true when one of them marks the key as AWS managed; nobody else can make such names.
bool Inventory::TakeAliases(Scan& scan, KeyFacts& facts) {
  facts.aliases_unknown = !scan.aliases_failure.empty();
  const auto found = scan.aliases.find(facts.key_id);
  if (found == scan.aliases.end()) return false;
  facts.aliases = std::move(found->second);
  scan.aliases.erase(found);
  std::sort(facts.aliases.begin(), facts.aliases.end());
  return std::any_of(facts.aliases.begin(), facts.aliases.end(),
                     [](const std::string& name) { return name.starts_with("alias/aws/"); });
}

void Inventory::Advance(Scan& scan) {
  while (scan.aliases_done && scan.next < scan.keys.size() && scan.under_way < kKeysUnderWayMax) {
    const std::size_t index = scan.next++;
    KeyFacts& facts = scan.keys[index].facts;
    if (TakeAliases(scan, facts)) {
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

void Inventory::ReadRotations(TargetScan& target) {
  for (const auto& scan : target.scans) {
    for (std::size_t i = 0; i < scan->keys.size(); ++i) {
      if (options_.wants_rotations(scan->keys[i].facts)) ReadRotationsPage(*scan, i, {}, 1);
    }
  }
}

void Inventory::ReadRotationsPage(Scan& scan, std::size_t index, std::string_view marker,
                                  int page) {
  Call(scan, "ListKeyRotations", PageBody(1000, marker, scan.keys[index].facts.key_id),
       [this, &scan, index, page](const CallResult& result) {
         KeyFacts& facts = scan.keys[index].facts;
         if (!result) {
           facts.rotations_failure = FailureOf("ListKeyRotations", result.error());
           return;
         }
         const auto next = answers_.ListKeyRotations(result->body, facts);
         if (!next) {
           facts.rotations_failure = FailureOf("ListKeyRotations", next.error());
         } else if (next->empty()) {
           facts.rotations_read = true;
         } else if (page < kRotationPagesMax) {
           ReadRotationsPage(scan, index, *next, page + 1);
         } else {
           facts.rotations_failure = CallFailure{
               "ListKeyRotations", std::string(client::kMalformedAnswer), "does not end", {}};
         }
       });
}

void Inventory::ReadTags(TargetScan& target) {
  for (const auto& scan : target.scans) {
    for (std::size_t i = 0; i < scan->keys.size(); ++i) {
      if (options_.wants_tags(scan->keys[i].facts)) ReadTagPage(*scan, i, {}, 1);
    }
  }
}

void Inventory::ReadTagPage(Scan& scan, std::size_t index, std::string_view marker, int page) {
  Call(scan, "ListResourceTags", PageBody(50, marker, scan.keys[index].facts.key_id),
       [this, &scan, index, page](const CallResult& result) {
         KeyFacts& facts = scan.keys[index].facts;
         if (!result) {
           facts.tags_failure = FailureOf("ListResourceTags", result.error());
           return;
         }
         auto tags = answers_.ListResourceTags(result->body);
         if (!tags) {
           facts.tags_failure = FailureOf("ListResourceTags", tags.error());
           return;
         }
         std::move(tags->items.begin(), tags->items.end(), std::back_inserter(facts.tags));
         if (!tags->next_marker.empty() && page < kTagPagesMax) {
           ReadTagPage(scan, index, tags->next_marker, page + 1);
         }
       });
}

// MarkUnreached: a key that was listed and never asked about is not known; it must not be lost.
void Inventory::MarkUnreached() {
  for (const auto& target : targets_) {
    for (const auto& scan : target->scans) {
      for (KeyResult& key : scan->keys) {
        KeyFacts& facts = key.facts;
        if (facts.key_manager.empty() && !facts.describe_failure) {
          facts.describe_failure = CallFailure{"DescribeKey",
                                               std::string(client::kCancelled),
                                               "the run was stopped before this key",
                                               {}};
        }
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
    const bool credentials_work =
        std::any_of(target->scans.begin(), target->scans.end(), [](const auto& scan) {
          return scan->status == RegionStatus::kScanned && scan->listing_done;
        });
    std::optional<Target::Closed> closed = target->closed;
    if (!closed && (target->step == Step::kWaiting || target->step == Step::kOpening)) {
      closed = {RegionStatus::kError, "the run was stopped before this account"};
    }
    for (const auto& scan : target->scans) {
      RegionResult result;
      result.endpoint_url = target->target->endpoint_url;
      result.account = scan->account;
      result.region = scan->region;
      result.keys_listed = scan->listed;
      if (closed) {
        result.status = closed->status;
        result.detail = closed->detail;
      } else {
        Conclude(*scan, credentials_work, result);
      }
      // What the user named is to be scanned, whatever the account says.
      const bool named = !target->target->all_regions;
      result.excused = result.status == RegionStatus::kClosed ||
                       (result.status == RegionStatus::kNotEnabled && !named);
      results.push_back(std::move(result));
    }
  }
  return results;
}

// Conclude tells what an error of ListKeys means for the region.
void Inventory::Conclude(const Scan& scan, bool credentials_work, RegionResult& result) {
  result.status = scan.status;
  if (scan.not_enabled) {
    result.status = RegionStatus::kNotEnabled;
    result.detail = "the account has not opted in to this region";
    return;
  }
  const client::CallError& error = scan.error;
  if (!scan.refused.empty()) {
    result.detail = scan.refused;
  } else if (scan.status == RegionStatus::kError) {
    result.detail = "ListKeys: " + ErrorText(error);
    const bool no_such_caller =
        error.code == "UnrecognizedClientException" || error.code == "InvalidClientTokenId";
    if (error.code == "OptInRequired" || error.code == "SubscriptionRequiredException" ||
        (no_such_caller && credentials_work)) {
      result.status = RegionStatus::kNotEnabled;
    } else if (error.IsDenied() || error.IsBadCredentials()) {
      result.status = RegionStatus::kDenied;
    }
  } else if (!scan.aliases_failure.empty()) {
    result.detail = "aliases are not known: " + scan.aliases_failure;
  }
}

}  // namespace keyturn::control
