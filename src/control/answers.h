// Answers: what KMS's answers say, read from their JSON. Private to this room.
//
// Every reader gives kMalformed when something that must be there is not; values that are not known
// here are kept as they came. Thread-safety: Answers is not shared between threads.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "client/kms_client.h"
#include "control/run.h"
#include "json/json.h"

namespace keyturn::control {

struct ListedKey {
  std::string key_id;
  std::string arn;
};

struct ListedAlias {
  std::string name;
  std::string key_id;  // empty: predefined, without a key yet
};

template <typename Item>
struct Page {
  std::vector<Item> items;
  std::string next_marker;  // empty: the last page
};

class Answers {
 public:
  Result<Page<ListedKey>> ListKeys(std::string_view body);
  Result<Page<ListedAlias>> ListAliases(std::string_view body);
  Result<Page<std::pair<std::string, std::string>>> ListResourceTags(std::string_view body);
  // DescribeKey fills the facts of the key that was asked for.
  Status DescribeKey(std::string_view body, KeyFacts& facts);
  // ListKeyRotations notes the last rotation of a page, unless the facts have a better one, and
  // returns the marker of the next page; empty: there is none.
  Result<std::string> ListKeyRotations(std::string_view body, KeyFacts& facts);
  Result<RotationFacts> GetKeyRotationStatus(std::string_view body);

 private:
  json::Parser parser_{json::Limits{.bytes_max = 16 << 20, .depth_max = 32}};
};

// KeyIdBody is {"KeyId":"..."}.
std::string KeyIdBody(std::string_view key_id);
// PageBody is {"Limit":n} with a marker unless it is empty, and a KeyId unless it is empty.
std::string PageBody(int limit, std::string_view marker, std::string_view key_id = {});

CallFailure FailureOf(std::string_view operation, const client::CallError& error);
CallFailure FailureOf(std::string_view operation, const Error& error);

}  // namespace keyturn::control
