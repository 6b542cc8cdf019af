// Inventory: keys as the console shows and judges them, read by the API's own handlers as the
// caller: what the caller may not see is not in it.
//
// Thread-safety: free functions over the tables; called on workers, several at once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "api/structures.h"
#include "control/evaluate.h"
#include "server/request_state.h"
#include "service/call.h"

namespace keyturn::console {

// KeyRow: what the console shows of a key beside the facts that the control judges.
struct KeyRow {
  std::optional<std::vector<api::Tag>> tags;
  std::optional<std::vector<api::RotationsListEntry>> rotations;
  std::vector<std::string_view> denied;  // of kBulkOperations: what the caller may not do
};

struct Inventory {
  std::vector<control::KeyResult> keys;          // not judged yet
  std::unordered_map<std::string, KeyRow> rows;  // by ARN
  // hidden_keys: listed, but not the caller's to describe. ListKeys tells no more than their ARNs.
  std::vector<control::KeyResult> hidden_keys;
};

// What is offered for many keys at once.
inline constexpr std::string_view kBulkOperations[] = {"DisableKey", "DisableKeyRotation",
                                                       "EnableKey", "EnableKeyRotation"};

// Perform runs one of the API's reading operations as the caller, with authorisation.
template <typename Operation>
Result<typename Operation::Response> Perform(service::Call& call,
                                             const typename Operation::Request& input) {
  call.targets.clear();
  KT_TRY(service::Prepare<Operation>(call, input));
  auto answer = service::Handle<Operation>(call, input);
  call.asked = {};  // what is asked of this call next is not this request's
  return answer;
}

// ReadFacts reads one key: what DescribeKey refuses, it refuses. call.targets is the key then.
Result<control::KeyFacts> ReadFacts(service::Call& call, const std::string& key_id, KeyRow& row);

// ReadRegion, ReadAllRegions: all keys of the caller's account. AccessDeniedException without
// kms:ListKeys.
Status ReadRegion(const service::Environment& environment, const server::RequestState& request,
                  model::Region region, Inventory& inventory);
Status ReadAllRegions(const service::Environment& environment, const server::RequestState& request,
                      Inventory& inventory);

}  // namespace keyturn::console
