// Regions: the names that AWS has, for who must enumerate them. model/ids.h has the rest.
//
// Thread-safety: a constant. Source: botocore's endpoint data of 2026.
#pragma once

#include <span>
#include <string_view>

namespace keyturn::model {

// KnownRegions: AWS's regions that have KMS, in all partitions, sorted.
std::span<const std::string_view> KnownRegions();

}  // namespace keyturn::model
