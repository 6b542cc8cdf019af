// Compact: values that keep a record of a hundred thousand keys small. Atom: a text of which there
// are few different ones (regions, states, reasons), kept once. Rare: a value that is seldom there.
//
// Thread-safety: values; Atoms may be made on any thread. Texts of Atoms live until the program
// ends.
#pragma once

#include <compare>
#include <cstddef>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace keyturn::control {

class Atom {
 public:
  Atom() : text_(&Empty()) {}
  Atom(std::string_view text) : text_(Intern(text)) {}    // NOLINT: stands for its text
  Atom(const std::string& text) : text_(Intern(text)) {}  // NOLINT
  Atom(const char* text) : text_(Intern(text)) {}         // NOLINT

  const std::string& text() const { return *text_; }
  operator const std::string&() const { return *text_; }  // NOLINT: stands for its text
  operator std::string_view() const { return *text_; }    // NOLINT

  bool empty() const { return text_->empty(); }
  std::size_t size() const { return text_->size(); }
  Atom& operator+=(std::string_view more) { return *this = *this + more; }
  void clear() { text_ = &Empty(); }
  bool starts_with(std::string_view prefix) const { return text_->starts_with(prefix); }

  friend bool operator==(const Atom& a, const Atom& b) { return a.text_ == b.text_; }
  friend std::strong_ordering operator<=>(const Atom& a, const Atom& b) {
    return *a.text_ <=> *b.text_;
  }
  friend bool operator==(const Atom& a, const std::string& b) { return *a.text_ == b; }
  friend bool operator==(const Atom& a, std::string_view b) { return *a.text_ == b; }
  friend bool operator==(const Atom& a, const char* b) { return *a.text_ == b; }
  friend std::string operator+(const Atom& a, std::string_view b) {
    return std::string(*a.text_).append(b);
  }
  friend std::string operator+(std::string a, const Atom& b) { return std::move(a += *b.text_); }
  friend std::ostream& operator<<(std::ostream& out, const Atom& a) { return out << *a.text_; }
  // For fmt.
  friend std::string_view format_as(const Atom& a) { return *a.text_; }

 private:
  static const std::string& Empty();
  static const std::string* Intern(std::string_view text);

  const std::string* text_;
};

// Rare has the interface of an optional, and the size of a pointer.
template <typename T>
class Rare {
 public:
  Rare() = default;
  Rare(std::nullopt_t) {}                                           // NOLINT: as an optional
  Rare(T value) : value_(std::make_unique<T>(std::move(value))) {}  // NOLINT
  Rare(const Rare& other) : value_(other ? std::make_unique<T>(*other) : nullptr) {}
  Rare(Rare&&) noexcept = default;
  Rare& operator=(const Rare& other) {
    value_ = other ? std::make_unique<T>(*other) : nullptr;
    return *this;
  }
  Rare& operator=(Rare&&) noexcept = default;

  friend bool operator==(const Rare& a, const Rare& b) {
    return a.has_value() == b.has_value() && (!a || *a == *b);
  }
  explicit operator bool() const { return value_ != nullptr; }
  bool has_value() const { return value_ != nullptr; }
  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  T* operator->() { return value_.get(); }
  const T* operator->() const { return value_.get(); }
  void reset() { value_.reset(); }

 private:
  std::unique_ptr<T> value_;
};

}  // namespace keyturn::control
