// Text: foreign text made fit for our JSON files. Private to this room.
#pragma once

#include <string>
#include <string_view>

namespace keyturn::control {

// WellFormed replaces bytes that are not UTF-8 by U+FFFD: a file of ours that we could not read
// again would be worse than a replaced character in a message.
std::string WellFormed(std::string_view text);

}  // namespace keyturn::control
