// Canonical: the canonical request, which both sides hash. For this room only.
//
// Thread-safe: no state. Functions append to a caller's string, so that its memory is reused.
// Source: IAM User Guide, "Create a signed AWS API request", step 1.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sigv4/sigv4.h"

namespace keyturn::sigv4 {

constexpr char LowerAscii(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// StartsWithIgnoreCase: lower_prefix is lower-case already; ASCII only.
bool StartsWithIgnoreCase(std::string_view lower_prefix, std::string_view text);
inline bool EqualsIgnoreCase(std::string_view lower, std::string_view text) {
  // Most names are in lower case already.
  return lower.size() == text.size() && (lower == text || StartsWithIgnoreCase(lower, text));
}

// TrimBlanks removes spaces and tabs from both ends.
std::string_view TrimBlanks(std::string_view text);

// HeaderNames: a set of header names, sorted, lower-case, each once.
class HeaderNames {
 public:
  static constexpr std::size_t kNamesMax = 256;

  // ParseList reads "host;x-amz-date" in any case and order. False when a name is empty, appears
  // twice, or when there are more than kNamesMax. The views may point into list.
  bool ParseList(std::string_view list);
  // Assign takes names in any case and order; duplicates merge.
  void Assign(std::span<const std::string_view> names);
  std::span<const std::string_view> names() const { return names_; }

 private:
  std::string storage_;
  std::vector<std::string_view> names_;
};

// AppendCanonicalPath normalises (RFC 3986 section 5.2.4; runs of slashes become one) and encodes
// the path, as sent, once more.
void AppendCanonicalPath(std::string_view path, std::string& out);
// AppendCanonicalQuery decodes, encodes and sorts name=value pairs by name, then value.
void AppendCanonicalQuery(std::string_view query, std::string& out);

// AppendCanonicalRequest returns false when a name has no header in the request.
bool AppendCanonicalRequest(const Request& request, const HeaderNames& names,
                            std::string_view payload_hash, std::string& out);

}  // namespace keyturn::sigv4
