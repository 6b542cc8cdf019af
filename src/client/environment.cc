#include "client/environment.h"

#include <cstdlib>

namespace keyturn::client {

Environment ProcessEnvironment() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

std::string Get(const Environment& environment, std::string_view name) {
  return environment(name).value_or(std::string());
}

}  // namespace keyturn::client
