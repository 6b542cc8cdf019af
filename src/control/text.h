// Text: foreign text made fit for our JSON files. Private to this room.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace keyturn::control {

// WellFormed replaces bytes that are not UTF-8 by U+FFFD: a file of ours that we could not read
// again would be worse than a replaced character in a message.
std::string WellFormed(std::string_view text);

// Counted: "1 key", "2 keys".
template <typename Number>
std::string Counted(Number number, std::string_view noun) {
  return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

}  // namespace keyturn::control
