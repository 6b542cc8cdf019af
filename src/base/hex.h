// Hex: lower-case base 16.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace keyturn {

std::string HexEncode(ByteView bytes);
void HexAppend(ByteView bytes, std::string& out);
// HexDecode accepts lower-case digits only, an even number of them; nullopt otherwise.
std::optional<Bytes> HexDecode(std::string_view text);
// HexDecodeInto fills out exactly; false when the length or a digit is wrong.
bool HexDecodeInto(std::string_view text, MutableByteView out);

}  // namespace keyturn
