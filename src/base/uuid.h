// Uuid: random identifiers (RFC 9562 version 4) in the lower-case 36-character form that AWS uses
// for key ids, request ids and event ids.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/random.h"

namespace keyturn {

using UuidText = std::array<char, 36>;

UuidText NewUuidText(RandomSource& random);
std::string NewUuid(RandomSource& random);
// IsUuid: 36 characters, dashes in place, lower-case hex.
bool IsUuid(std::string_view text);

}  // namespace keyturn
