// Environment: the process's variables, passed in so that tests have their own.
//
// Thread-safety: as the function given.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace keyturn::client {

// Environment looks a variable up; nullopt when it is not set.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;

// ProcessEnvironment reads the process's own.
Environment ProcessEnvironment();

// Get: a variable that is set to nothing counts as not set, as with AWS's tools.
std::string Get(const Environment& environment, std::string_view name);

}  // namespace keyturn::client
