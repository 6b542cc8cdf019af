#include "crypto/cbor.h"

#include <algorithm>
#include <string>

namespace keyturn::crypto {
namespace {

using Type = CborValue::Type;

constexpr std::uint8_t kOneByte = 24;  // additional information: the argument follows in 1 byte
constexpr std::uint8_t kEightBytes = 27;
constexpr std::uint8_t kFalse = 20;
constexpr std::uint8_t kTrue = 21;
constexpr std::uint8_t kNull = 22;

bool SameKey(const CborValue& a, const CborValue& b) {
  return a.type == b.type && a.number == b.number &&
         std::equal(a.bytes.begin(), a.bytes.end(), b.bytes.begin(), b.bytes.end());
}

class Reader {
 public:
  Reader(ByteView input, const CborLimits& limits) : input_(input), limits_(limits) {}

  Result<CborValue> Document() {
    KT_ASSIGN(CborValue value, Item(0));
    if (at_ != input_.size()) return Wrong("something follows the item");
    return value;
  }

 private:
  tl::unexpected<Error> Wrong(const char* what) const {
    return Fail(ErrorCode::kMalformed,
                "CBOR: " + std::string(what) + " at byte " + std::to_string(at_));
  }

  Result<std::uint64_t> Argument(std::uint8_t info) {
    if (info < kOneByte) return info;
    if (info > kEightBytes) return Wrong("an indefinite or reserved length");
    const std::size_t count = std::size_t{1} << (info - kOneByte);
    if (input_.size() - at_ < count) return Wrong("the end, inside a number");
    std::uint64_t argument = 0;
    for (std::size_t i = 0; i < count; ++i) argument = argument << 8 | input_[at_++];
    return argument;
  }

  Result<ByteView> String(std::uint64_t size) {
    if (size > input_.size() - at_) return Wrong("a string longer than the document");
    const ByteView bytes = input_.subspan(at_, static_cast<std::size_t>(size));
    at_ += bytes.size();
    return bytes;
  }

  // Items reads count items; each takes at least a byte, so that a count beyond the rest is a lie.
  Status Items(std::uint64_t count, std::size_t depth, std::vector<CborValue>& items) {
    if (count > input_.size() - at_) return Wrong("more elements than bytes");
    items.reserve(std::min<std::size_t>(static_cast<std::size_t>(count), limits_.items_max));
    for (std::uint64_t i = 0; i < count; ++i) {
      KT_ASSIGN(CborValue item, Item(depth));
      items.push_back(std::move(item));
    }
    return {};
  }

  Status MapKeys(const CborValue& map) const {
    for (std::size_t i = 0; i < map.items.size(); i += 2) {
      const CborValue& key = map.items[i];
      if (!key.Is(Type::kUnsigned) && !key.Is(Type::kNegative) && !key.Is(Type::kText)) {
        return Wrong("a map key that is neither number nor text, before");
      }
      for (std::size_t j = 0; j < i; j += 2) {
        if (SameKey(map.items[j], key)) return Wrong("a map with a key twice, before");
      }
    }
    return {};
  }

  Status Simple(std::uint8_t info, CborValue& value) const {
    if (info == kFalse || info == kTrue) {
      value.type = Type::kBool;
      value.number = info == kTrue ? 1 : 0;
    } else if (info != kNull) {
      return Wrong("a float or an unknown simple value");
    }
    return {};
  }

  Result<CborValue> Item(std::size_t depth) {
    if (depth > limits_.depth_max) return Wrong("too many levels");
    if (++items_ > limits_.items_max) return Wrong("too many items");
    if (at_ == input_.size()) return Wrong("the end, where an item should begin");
    const std::uint8_t head = input_[at_++];
    const std::uint8_t major = head >> 5;
    const std::uint8_t info = head & 0x1F;
    CborValue value;
    if (major == 7) {
      KT_TRY(Simple(info, value));
      return value;
    }
    KT_ASSIGN(value.number, Argument(info));
    constexpr Type kTypes[] = {Type::kUnsigned, Type::kNegative, Type::kBytes, Type::kText,
                               Type::kArray,    Type::kMap,      Type::kTag};
    value.type = kTypes[major];
    if (value.Is(Type::kBytes) || value.Is(Type::kText)) {
      KT_ASSIGN(value.bytes, String(value.number));
      value.number = 0;
    } else if (value.Is(Type::kArray)) {
      KT_TRY(Items(value.number, depth + 1, value.items));
    } else if (value.Is(Type::kMap)) {
      if (value.number > input_.size()) return Wrong("more elements than bytes");
      KT_TRY(Items(value.number * 2, depth + 1, value.items));
      KT_TRY(MapKeys(value));
    } else if (value.Is(Type::kTag)) {
      KT_TRY(Items(1, depth + 1, value.items));
    }
    return value;
  }

  ByteView input_;
  CborLimits limits_;
  std::size_t at_ = 0;
  std::size_t items_ = 0;
};

}  // namespace

const CborValue* CborValue::Find(std::string_view text_key) const {
  if (!Is(Type::kMap)) return nullptr;
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
    if (items[i].Is(Type::kText) && AsText(items[i].bytes) == text_key) return &items[i + 1];
  }
  return nullptr;
}

const CborValue* CborValue::Find(std::uint64_t number_key) const {
  if (!Is(Type::kMap)) return nullptr;
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
    if (items[i].Is(Type::kUnsigned) && items[i].number == number_key) return &items[i + 1];
  }
  return nullptr;
}

Result<CborValue> ParseCbor(ByteView document, const CborLimits& limits) {
  return Reader(document, limits).Document();
}

void AppendCborHead(std::uint8_t major, std::uint64_t argument, Bytes& out) {
  const auto first = static_cast<std::uint8_t>(major << 5);
  if (argument < kOneByte) {
    out.push_back(static_cast<std::uint8_t>(first | argument));
    return;
  }
  int log2 = 0;  // of the bytes that the argument needs
  while (log2 < 3 && argument >> (8U << log2) != 0) ++log2;
  out.push_back(static_cast<std::uint8_t>(first | (kOneByte + log2)));
  for (int shift = (8 << log2) - 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<std::uint8_t>(argument >> shift));
  }
}

}  // namespace keyturn::crypto
