// AWS managed keys that come to be when their alias is first used, as they do on AWS when a service
// uses them (`serve --aws-managed-keys on-first-use`). Only aliases of the list below; else anybody
// could fill the tables. Thread-safe.
// Source: KMS Developer Guide, "AWS managed keys"; API reference of DescribeKey and ListAliases.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "service/call.h"

namespace keyturn::service {

// PredefinedAliases: "alias/aws/acm", ..., sorted.
std::span<const std::string_view> PredefinedAliases();

// MissingAwsManagedKey: the alias that key_id names, by name or ARN, when a key is to be made for
// it: predefined, of the caller's account and region, and without a key.
std::optional<std::string> MissingAwsManagedKey(const Environment& environment,
                                                const model::AccountId& account,
                                                model::Region region, std::string_view key_id);

// MakeAwsManagedKey stages the key, if the caller may do action with it; else nothing is made.
Status MakeAwsManagedKey(Call& call, const std::string& alias, std::string_view action);

}  // namespace keyturn::service
