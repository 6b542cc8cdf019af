// Cbor: a reader of what COSE and attestation documents need of RFC 8949: integers, byte and text
// strings, arrays, maps, tags, booleans and null, all of definite length.
//
// A document is parsed whole and must end where its one item ends; sizes are checked before they
// are believed; a map with a key twice is refused, because two readers might take different ones.
// Values are views into the input. Thread-safety: values.
// Errors: kMalformed with the offset; the input is never quoted.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace keyturn::crypto {

struct CborLimits {
  std::size_t depth_max = 8;
  std::size_t items_max = 1024;  // in the whole document
};

struct CborValue {
  enum class Type : std::uint8_t {
    kUnsigned,
    kNegative,
    kBytes,
    kText,
    kArray,
    kMap,
    kTag,
    kBool,
    kNull
  };
  Type type = Type::kNull;
  // number: of kUnsigned; of kNegative n where the value is -1 - n; the number of kTag; 0 or 1 of
  // kBool.
  std::uint64_t number = 0;
  ByteView bytes;                // of kBytes and kText (valid UTF-8 is not checked)
  std::vector<CborValue> items;  // elements; of a map key, value, key, value; of a tag its content

  bool Is(Type wanted) const { return type == wanted; }
  // Find returns the value of a map's key, or null.
  const CborValue* Find(std::string_view text_key) const;
  const CborValue* Find(std::uint64_t number_key) const;
};

Result<CborValue> ParseCbor(ByteView document, const CborLimits& limits = {});

// AppendCborHead writes the head of an item: major type 0 to 7 and its argument, as short as it can
// be.
void AppendCborHead(std::uint8_t major, std::uint64_t argument, Bytes& out);

}  // namespace keyturn::crypto
