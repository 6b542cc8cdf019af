#include "control/region_scan.h"

#include <algorithm>
#include <utility>

namespace keyturn::control {

std::string ErrorText(const client::CallError& error) {
  return error.code + (error.message.empty() ? "" : ": " + error.message);
}

CallFailure UnreachedFailure(const char* operation) {
  return {operation, std::string(client::kCancelled), "the run was stopped before this key", {}};
}

bool RegionScan::TakeAliases(KeyFacts& facts) {
  facts.aliases_unknown = !aliases_failure.empty();
  const auto found = aliases.find(facts.key_id);
  if (found == aliases.end()) return false;
  facts.aliases = std::move(found->second);
  aliases.erase(found);
  std::sort(facts.aliases.begin(), facts.aliases.end());
  return std::any_of(facts.aliases.begin(), facts.aliases.end(),
                     [](const std::string& name) { return name.starts_with("alias/aws/"); });
}

void RegionScan::MarkUnreached() {
  for (KeyResult& key : keys) {
    KeyFacts& facts = key.facts;
    if (facts.key_manager.empty() && !facts.describe_failure) {
      facts.describe_failure = UnreachedFailure("DescribeKey");
    }
  }
}

void RegionScan::Conclude(bool credentials_work, RegionResult& result) const {
  result.status = status;
  if (not_enabled) {
    result.status = RegionStatus::kNotEnabled;
    result.detail = "the account has not opted in to this region";
    return;
  }
  if (!refused.empty()) {
    result.detail = refused;
  } else if (status == RegionStatus::kError) {
    result.detail = "ListKeys: " + ErrorText(error);
    const bool no_such_caller =
        error.code == "UnrecognizedClientException" || error.code == "InvalidClientTokenId";
    if (error.code == "OptInRequired" || error.code == "SubscriptionRequiredException" ||
        (no_such_caller && credentials_work)) {
      result.status = RegionStatus::kNotEnabled;
    } else if (error.IsDenied() || error.IsBadCredentials()) {
      result.status = RegionStatus::kDenied;
    }
  } else if (!aliases_failure.empty()) {
    result.detail = "aliases are not known: " + aliases_failure;
  }
}

std::vector<RegionResult> TargetScan::Results() const {
  const bool credentials_work = std::any_of(scans.begin(), scans.end(), [](const auto& scan) {
    return scan->status == RegionStatus::kScanned && scan->listing_done;
  });
  std::optional<Target::Closed> why = closed;
  if (!why && (step == Step::kWaiting || step == Step::kOpening)) {
    why = {RegionStatus::kError, "the run was stopped before this account"};
  }
  std::vector<RegionResult> results;
  for (const auto& scan : scans) {
    RegionResult& result = results.emplace_back();
    result.endpoint_url = target->endpoint_url;
    result.account = scan->account;
    result.region = scan->region;
    result.keys_listed = scan->listed;
    if (why) {
      result.status = why->status;
      result.detail = why->detail;
    } else {
      scan->Conclude(credentials_work, result);
    }
    // What the user named is to be scanned, whatever the account says.
    const bool named = !target->all_regions;
    result.excused = result.status == RegionStatus::kClosed ||
                     (result.status == RegionStatus::kNotEnabled && !named);
  }
  return results;
}

}  // namespace keyturn::control
