// Meta: the names of what the store keeps once, and the domain key among it.
#pragma once

#include <filesystem>
#include <optional>

#include "base/bytes.h"
#include "base/error.h"

namespace keyturn::service {

inline constexpr const char kDomainKeyMeta[] = "domain-key";  // sealed by the root key
inline constexpr const char kTrailHeadMeta[] = "trail-head";  // writer.h, EncodeTrailHead

// DomainKeyOf: kCorrupt, naming the directory, when there is none.
Result<Bytes> DomainKeyOf(std::optional<Bytes> stored, const std::filesystem::path& directory);

}  // namespace keyturn::service
