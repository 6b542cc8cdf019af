// Markers: opaque, authenticated positions in a listing. A marker of another listing, account or
// region, or one that a client made up, is InvalidMarkerException without text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "service/call.h"

namespace keyturn::service {

// Page: where a listing goes on and how many entries it returns.
struct Page {
  std::string after;
  std::size_t limit = 0;
};

// ReadPage checks the marker of a request; scope names the listing ("ListKeys", or with a key id).
Result<Page> ReadPage(const Call& call, std::string_view scope,
                      const std::optional<std::string>& marker,
                      const std::optional<std::int32_t>& limit, std::size_t limit_default);
std::string MakeMarker(const Call& call, std::string_view scope, std::string_view last);

}  // namespace keyturn::service
