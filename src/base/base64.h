// Base64 (RFC 4648 section 4), strict: standard alphabet, padding required, no white space, and the
// unused bits of the last group must be zero, so that every value has exactly one spelling.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace keyturn {

std::string Base64Encode(ByteView bytes);
void Base64Append(ByteView bytes, std::string& out);

// Base64DecodedSize returns the number of bytes that text decodes to if it is valid; nullopt if its
// length or padding cannot be right.
std::optional<std::size_t> Base64DecodedSize(std::string_view text);
// Base64DecodeInto fills out, whose size must be Base64DecodedSize(text); false on any other
// character or non-zero spare bits. The contents of out are then unspecified.
bool Base64DecodeInto(std::string_view text, MutableByteView out);
std::optional<Bytes> Base64Decode(std::string_view text);

}  // namespace keyturn
