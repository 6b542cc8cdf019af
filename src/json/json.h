// Json: the only reader and writer of JSON.
//
// Reading: Parser turns bytes into a Document that it owns until the next Parse. Strict RFC 8259:
// valid UTF-8, nothing after the value, no duplicate member names anywhere (an attacker could show
// one value to the signer and another to us), bounded depth and size. Values are views: cheap to
// copy, valid until the parser parses again or dies. Writing: Writer appends to a string.
// Thread-safety: none of these is shared between threads; keep one Parser per thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "base/time.h"

namespace keyturn::json {

struct Limits {
  std::size_t bytes_max = 1 << 20;
  std::size_t depth_max = 32;
};

enum class Type { kNull, kBool, kInt, kDouble, kString, kArray, kObject };

class Value;

// Callback types of iteration; return false to stop early.
using MemberVisitor = std::function<bool(std::string_view name, Value value)>;
using ElementVisitor = std::function<bool(std::size_t index, Value value)>;

class Value {
 public:
  Type type() const;
  bool is_null() const { return type() == Type::kNull; }

  // As<T>-like accessors: nullopt when the value has another type.
  std::optional<bool> AsBool() const;
  // AsInt: integers only, in the range of int64; 1.0 and 1e3 are doubles, not integers.
  std::optional<std::int64_t> AsInt() const;
  // AsDouble: any number.
  std::optional<double> AsDouble() const;
  // AsString: the view lives as long as the document.
  std::optional<std::string_view> AsString() const;

  // Find returns the member, or nullopt if this is no object or has no such member.
  std::optional<Value> Find(std::string_view name) const;
  // size: number of members or elements; 0 for scalars.
  std::size_t size() const;
  // ForEachMember / ForEachElement visit in document order; false if the type is another one.
  bool ForEachMember(const MemberVisitor& visit) const;
  bool ForEachElement(const ElementVisitor& visit) const;
  // ToJson writes the value again, without white space.
  std::string ToJson() const;

 private:
  friend class Parser;
  friend struct ValueAccess;
  alignas(void*) std::byte rep_[2 * sizeof(void*)];
};

class Parser {
 public:
  explicit Parser(Limits limits = {});
  ~Parser();
  Parser(Parser&&) noexcept;
  Parser& operator=(Parser&&) noexcept;

  // Parse fails with kMalformed; the message says what and, where known, at which byte offset. It
  // never quotes the input.
  Result<Value> Parse(std::string_view text);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Writer appends one JSON value to out. Commas and colons are its business, well-formedness of the
// nesting is the caller's (checked by KT_CHECK).
class Writer {
 public:
  // pretty: two spaces of indentation and "key" : value, the way AWS prints policies, when
  // kAwsPretty; two spaces and "key": value when kPretty.
  enum class Style { kCompact, kPretty, kAwsPretty };
  explicit Writer(std::string& out, Style style = Style::kCompact) : out_(out), style_(style) {}

  Writer& BeginObject();
  Writer& EndObject();
  Writer& BeginArray();
  Writer& EndArray();
  Writer& Key(std::string_view name);
  Writer& String(std::string_view text);
  Writer& Int(std::int64_t number);
  Writer& Double(double number);
  Writer& Bool(bool value);
  Writer& Null();
  // Base64 writes bytes as a string.
  Writer& Base64(ByteView bytes);
  // EpochSeconds writes AWS's timestamp: seconds with up to three decimals, no trailing zeros.
  Writer& EpochSeconds(TimePoint t);
  // Raw writes text that is one JSON value already.
  Writer& Raw(std::string_view json);

 private:
  void Before();  // separator and indentation ahead of a value or key
  void Indent();
  void Open(char bracket);
  void Close(char bracket);

  std::string& out_;
  Style style_;
  std::uint64_t not_first_ = 0;  // bit d: the container at depth d already has an entry
  unsigned depth_ = 0;
  bool after_key_ = false;
};

// IsUtf8: what Writer may be given. What Parser has read is.
bool IsUtf8(std::string_view text);

// IsPlainAscii: printable ASCII without quote and backslash, which stands in JSON as it is.
bool IsPlainAscii(std::string_view text);
// AppendPlain appends text for which IsPlainAscii holds, as a JSON string.
void AppendPlain(std::string_view text, std::string& out);

// AppendQuoted appends text as a JSON string: control characters escaped, UTF-8 passed through.
void AppendQuoted(std::string_view text, std::string& out);

}  // namespace keyturn::json
