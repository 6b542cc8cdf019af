// Assets: the console's files, embedded in the binary with their compressed forms.
//
// Thread-safety: thread-safe; the files are constants.
// Source: RFC 9110 (conditional requests, content coding), CSP Level 3, Trusted Types.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "http/server.h"

namespace keyturn::console {

struct Asset {
  std::string_view path;  // "/console/assets/index-1a2b3c4d.js"
  std::string_view content_type;
  std::string_view etag;   // quoted; of the uncompressed bytes
  bool immutable = false;  // its name has its digest
  std::string_view bytes;
  std::string_view gzip;    // empty where compressing gains nothing
  std::string_view brotli;  // likewise
};

// Assets in order of their paths.
std::span<const Asset> Assets();

// ServeAsset answers any request that is not the API's: a file, 304, a redirect to /console/, 404,
// or 405.
void ServeAsset(http::Exchange& exchange);

}  // namespace keyturn::console
