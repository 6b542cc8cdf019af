// SecretBytes and SecretArray: memory that holds key material, plaintexts and passwords.
//
// Move-only; wiped on destruction, on move and on assignment; no operator==, no formatter, no
// conversion. The only way to the bytes is reveal(), so `grep -n 'reveal()'` lists every place
// where a secret leaves its box. Compare with crypto::ConstantTimeEquals. Thread-safety: as a plain
// object.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/bytes.h"

namespace keyturn {

// WipeMemory overwrites size bytes; the compiler cannot remove it.
void WipeMemory(void* data, std::size_t size);

class SecretBytes {
 public:
  SecretBytes() = default;
  // SecretBytes(size) holds size zero bytes, to be filled through reveal_mutable().
  explicit SecretBytes(std::size_t size);
  // CopyOf copies the view; the source is the caller's to wipe.
  static SecretBytes CopyOf(ByteView bytes);

  SecretBytes(SecretBytes&& other) noexcept;
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes();

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  ByteView reveal() const { return {data_.get(), size_}; }
  MutableByteView reveal_mutable() { return {data_.get(), size_}; }

 private:
  std::unique_ptr<std::uint8_t[]> data_;
  std::size_t size_ = 0;
};

template <std::size_t N>
class SecretArray {
 public:
  SecretArray() = default;
  SecretArray(SecretArray&& other) noexcept : bytes_(other.bytes_) { other.Wipe(); }
  SecretArray& operator=(SecretArray&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      other.Wipe();
    }
    return *this;
  }
  SecretArray(const SecretArray&) = delete;
  SecretArray& operator=(const SecretArray&) = delete;
  ~SecretArray() { Wipe(); }

  static constexpr std::size_t size() { return N; }
  ByteView reveal() const { return bytes_; }
  MutableByteView reveal_mutable() { return bytes_; }

 private:
  void Wipe() { WipeMemory(bytes_.data(), N); }
  std::array<std::uint8_t, N> bytes_{};
};

}  // namespace keyturn
