// InputBuffer: the bytes of a connection that are received and not yet consumed, always contiguous.
//
// Not thread-safe. Grow, Consume and Erase move bytes: pointers into the buffer are then void.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

#include "base/check.h"

namespace keyturn::http {

class InputBuffer {
 public:
  explicit InputBuffer(std::size_t capacity)
      : data_(new char[capacity]), capacity_(capacity), initial_(capacity) {}

  const char* data() const { return data_.get(); }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::size_t capacity() const { return capacity_; }
  std::string_view text() const { return {data_.get(), size_}; }

  // free_space is where the next bytes go; Commit then says how many have come.
  std::span<char> free_space() { return {data_.get() + size_, capacity_ - size_}; }
  void Commit(std::size_t count) {
    KT_CHECK(count <= capacity_ - size_);
    size_ += count;
  }

  // Consume drops count bytes at the front. An empty buffer returns to its first capacity.
  void Consume(std::size_t count) {
    Erase(0, count);
    if (size_ == 0 && capacity_ > initial_) {
      data_.reset(new char[initial_]);
      capacity_ = initial_;
    }
  }
  void Erase(std::size_t at, std::size_t count) {
    KT_CHECK(at <= size_ && count <= size_ - at);
    std::memmove(data_.get() + at, data_.get() + at + count, size_ - at - count);
    size_ -= count;
  }

  void Grow(std::size_t capacity) {
    if (capacity <= capacity_) {
      return;
    }
    std::unique_ptr<char[]> larger(new char[capacity]);
    std::memcpy(larger.get(), data_.get(), size_);
    data_ = std::move(larger);
    capacity_ = capacity;
  }

 private:
  std::unique_ptr<char[]> data_;
  std::size_t size_ = 0;
  std::size_t capacity_;
  std::size_t initial_;
};

}  // namespace keyturn::http
