#include "control/inventory.h"

#include <algorithm>

#include "control/evaluate.h"
#include "model/arn.h"

namespace keyturn::control {
namespace {

using client::CallResult;

// Keys of one region with a call under way or queued: enough to keep every lane busy, few enough
// that memory does not grow with the account.
constexpr std::size_t kKeysUnderWayMax = 256;
// A key that is being created or updated is looked at again.
constexpr int kSettleAttempts = 5;
constexpr std::chrono::milliseconds kSettlePause{2000};
constexpr int kTagPagesMax = 10;
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

Inventory::Inventory(client::KmsClient& client, const std::vector<std::string>& regions,
                     const Clock& clock, const Monitor& monitor)
    : client_(client), monitor_(monitor), meter_(monitor, clock, client, "auditing") {
  for (const std::string& region : regions) {
    scans_.push_back(std::make_unique<RegionScan>());
    scans_.back()->region = region;
  }
}

void Inventory::Read() {
  for (const auto& scan : scans_) {
    ListKeys(*scan, {});
    ListAliases(*scan, {});
  }
  Drain();
  ReadReplicas();
  Drain();
  MarkUnreached();
}

void Inventory::Drain() {
  while (client_.Pump(kPumpWait) > 0) {
    if (!cancelled_ && monitor_.IsCancelled()) {
      cancelled_ = true;
      client_.CancelAll();
    }
    const bool listed = std::all_of(scans_.begin(), scans_.end(),
                                    [](const auto& scan) { return scan->listing_done; });
    meter_.Report(done_, keys_.size(), listed);
  }
  meter_.Report(done_, keys_.size(), true);
}

void Inventory::ListKeys(RegionScan& scan, std::string_view marker) {
  client_.Call("ListKeys", scan.region, PageBody(1000, marker),
               [this, &scan](const CallResult& result) { OnKeys(scan, result); });
}

void Inventory::OnKeys(RegionScan& scan, const CallResult& result) {
  const auto fail = [&scan](client::CallError error) {
    scan.status = RegionStatus::kError;
    scan.error = std::move(error);
  };
  std::string marker;
  if (!result) {
    fail(result.error());
  } else if (auto page = answers_.ListKeys(result->body); !page) {
    fail({std::string(client::kMalformedAnswer), page.error().message, result->request_id, 200});
  } else {
    marker = page->next_marker;
    for (ListedKey& key : page->items) {
      // A key that is created while pages are read may move to a later one.
      if (!scan.arns.insert(key.arn).second) continue;
      KeyResult entry;
      entry.facts.account = AccountOf(key.arn);
      entry.facts.region = scan.region;
      entry.facts.arn = std::move(key.arn);
      entry.facts.key_id = std::move(key.key_id);
      if (scan.account.empty()) scan.account = entry.facts.account;
      scan.queue.push_back(keys_.size());
      keys_.push_back(std::move(entry));
      ++scan.listed;
    }
    if (!marker.empty() && !scan.key_markers.insert(marker).second) {
      fail({std::string(client::kMalformedAnswer), "ListKeys goes round in circles",
            result->request_id, 200});
      marker.clear();
    }
  }
  if (marker.empty()) {
    scan.listing_done = true;
    scan.arns.clear();
  } else {
    ListKeys(scan, marker);
  }
  Advance(scan);
}

void Inventory::ListAliases(RegionScan& scan, std::string_view marker) {
  client_.Call("ListAliases", scan.region, PageBody(100, marker),
               [this, &scan](const CallResult& result) { OnAliases(scan, result); });
}

// OnAliases: without aliases every key is described, and that tells as much; so a failure here is
// mentioned and harms nothing.
void Inventory::OnAliases(RegionScan& scan, const CallResult& result) {
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
  Advance(scan);
}

// TakeAliases: true when one of them marks the key as AWS managed; nobody else can make such names.
bool Inventory::TakeAliases(RegionScan& scan, KeyFacts& facts) {
  const auto found = scan.aliases.find(facts.key_id);
  if (found == scan.aliases.end()) return false;
  facts.aliases = std::move(found->second);
  scan.aliases.erase(found);
  std::sort(facts.aliases.begin(), facts.aliases.end());
  return std::any_of(facts.aliases.begin(), facts.aliases.end(),
                     [](const std::string& name) { return name.starts_with("alias/aws/"); });
}

void Inventory::Advance(RegionScan& scan) {
  if (!scan.aliases_done) return;
  while (scan.next < scan.queue.size() && scan.under_way < kKeysUnderWayMax) {
    const std::size_t index = scan.queue[scan.next++];
    KeyFacts& facts = keys_[index].facts;
    if (TakeAliases(scan, facts)) {
      facts.key_manager = "AWS";
      ++done_;
      continue;
    }
    ++scan.under_way;
    Describe(scan, index, 1);
  }
}

void Inventory::Describe(RegionScan& scan, std::size_t index, int attempt) {
  client_.Call(
      "DescribeKey", scan.region, KeyIdBody(keys_[index].facts.key_id),
      [this, &scan, index, attempt](const CallResult& result) {
        OnDescribed(scan, index, attempt, result);
      },
      attempt == 1 ? std::chrono::milliseconds(0) : kSettlePause);
}

void Inventory::OnDescribed(RegionScan& scan, std::size_t index, int attempt,
                            const CallResult& result) {
  KeyFacts& facts = keys_[index].facts;
  if (!result) {
    facts.describe_failure = FailureOf("DescribeKey", result.error());
  } else if (const Status read = answers_.DescribeKey(result->body, facts); !read) {
    facts.describe_failure = FailureOf("DescribeKey", read.error());
  } else if (IsSettling(facts) && attempt < kSettleAttempts) {
    Describe(scan, index, attempt + 1);
    return;
  } else if (MayRotate(facts)) {
    const bool primary_will_tell =
        IsReplica(facts) && facts.key_state == "Enabled" &&
        std::any_of(scans_.begin(), scans_.end(),
                    [&facts](const auto& other) { return other->region == facts.primary_region; });
    if (!primary_will_tell) {
      ReadRotation(scan, index);
      return;
    }
    replicas_.push_back(index);
  }
  KeyDone(scan);
}

void Inventory::ReadRotation(RegionScan& scan, std::size_t index) {
  client_.Call("GetKeyRotationStatus", scan.region, KeyIdBody(keys_[index].facts.key_id),
               [this, &scan, index](const CallResult& result) {
                 KeyFacts& facts = keys_[index].facts;
                 if (!result) {
                   facts.rotation_failure = FailureOf("GetKeyRotationStatus", result.error());
                 } else if (auto rotation = answers_.GetKeyRotationStatus(result->body);
                            !rotation) {
                   facts.rotation_failure = FailureOf("GetKeyRotationStatus", rotation.error());
                 } else {
                   facts.rotation = *rotation;
                 }
                 KeyDone(scan);
               });
}

void Inventory::KeyDone(RegionScan& scan) {
  ++done_;
  --scan.under_way;
  Advance(scan);
}

// ReadReplicas reads the own copies of those replicas whose primaries told nothing.
void Inventory::ReadReplicas() {
  std::unordered_map<std::string_view, const KeyFacts*> primaries;
  for (const KeyResult& key : keys_) {
    if (key.facts.multi_region && !IsReplica(key.facts)) {
      primaries.emplace(key.facts.arn, &key.facts);
    }
  }
  for (const std::size_t index : replicas_) {
    const KeyFacts& facts = keys_[index].facts;
    const auto primary = primaries.find(facts.primary_arn);
    if (primary != primaries.end() && primary->second->key_state == "Enabled" &&
        primary->second->rotation) {
      continue;
    }
    const auto scan = std::find_if(scans_.begin(), scans_.end(), [&facts](const auto& each) {
      return each->region == facts.region;
    });
    --done_;
    ++(*scan)->under_way;
    ReadRotation(**scan, index);
  }
}

void Inventory::ReadTags(const std::vector<std::size_t>& indexes) {
  for (const std::size_t index : indexes) ReadTagPage(index, {}, 1);
  Drain();
}

void Inventory::ReadTagPage(std::size_t index, std::string_view marker, int page) {
  const KeyFacts& key = keys_[index].facts;
  client_.Call("ListResourceTags", key.region, PageBody(50, marker, key.key_id),
               [this, index, page](const CallResult& result) {
                 KeyFacts& facts = keys_[index].facts;
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
                   ReadTagPage(index, tags->next_marker, page + 1);
                 }
               });
}

// MarkUnreached: a key that was listed and never asked about is not known; it must not be lost.
void Inventory::MarkUnreached() {
  for (KeyResult& key : keys_) {
    KeyFacts& facts = key.facts;
    if (facts.key_manager.empty() && !facts.describe_failure) {
      facts.describe_failure = CallFailure{"DescribeKey",
                                           std::string(client::kCancelled),
                                           "the run was stopped before this key",
                                           {}};
    }
  }
}

std::vector<RegionResult> Inventory::Regions() const {
  const bool credentials_work = std::any_of(scans_.begin(), scans_.end(), [](const auto& scan) {
    return scan->status == RegionStatus::kScanned && scan->listing_done;
  });
  std::vector<RegionResult> results;
  for (const auto& scan : scans_) {
    RegionResult result;
    result.account = scan->account;
    result.region = scan->region;
    result.keys_listed = scan->listed;
    result.status = scan->status;
    const client::CallError& error = scan->error;
    if (scan->status == RegionStatus::kError) {
      result.detail = "ListKeys: " + ErrorText(error);
      const bool no_such_caller =
          error.code == "UnrecognizedClientException" || error.code == "InvalidClientTokenId";
      if (error.code == "OptInRequired" || error.code == "SubscriptionRequiredException" ||
          (no_such_caller && credentials_work)) {
        result.status = RegionStatus::kNotEnabled;
      } else if (error.IsDenied() || error.IsBadCredentials()) {
        result.status = RegionStatus::kDenied;
      }
    } else if (!scan->aliases_failure.empty()) {
      result.detail = "aliases are not known: " + scan->aliases_failure;
    }
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace keyturn::control
