// YamlToJson: a YAML document as JSON, for files that people write and the server reads as JSON.
//
// Every scalar becomes a string: account ids keep their zeros, and policies mean the same with
// strings. JSON is YAML, so a JSON file passes too. Limits: 512 KiB, 24 levels, no aliases that
// make the document larger than 512 KiB. kUsage with line and column otherwise. Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace keyturn::cli {

Result<std::string> YamlToJson(std::string_view text);

}  // namespace keyturn::cli
