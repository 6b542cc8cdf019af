#include "sigv4/canonical.h"

#include <algorithm>
#include <array>
#include <utility>

namespace keyturn::sigv4 {
namespace {

constexpr bool IsUnreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

void AppendEncoded(char c, std::string& out) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(c);
  out.push_back('%');
  out.push_back(kDigits[byte >> 4]);
  out.push_back(kDigits[byte & 0x0F]);
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Recoded gives every spelling of a query component the same form. A '%' that starts no escape
// stands for itself.
std::string Recoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%' && i + 2 < text.size() && HexValue(text[i + 1]) >= 0 &&
        HexValue(text[i + 2]) >= 0) {
      c = static_cast<char>(HexValue(text[i + 1]) * 16 + HexValue(text[i + 2]));
      i += 2;
    }
    if (IsUnreserved(c)) {
      out.push_back(c);
    } else {
      AppendEncoded(c, out);
    }
  }
  return out;
}

// AppendValue writes a header value without blanks at its ends, and one space for each run of them.
void AppendValue(std::string_view value, std::string& out) {
  value = TrimBlanks(value);
  const std::size_t at = out.size();
  out.append(value);
  // Nearly all values are as they should be: two searches, and no look at each character.
  if (value.find('\t') == std::string_view::npos && value.find("  ") == std::string_view::npos) {
    return;
  }
  const auto begin = out.begin() + static_cast<std::ptrdiff_t>(at);
  std::replace(begin, out.end(), '\t', ' ');
  out.erase(std::unique(begin, out.end(), [](char a, char b) { return a == ' ' && b == ' '; }),
            out.end());
}

// AppendHeader joins the values of all headers of that name with commas, in their order.
bool AppendHeader(std::string_view name, std::span<const Header> headers, std::string& out) {
  bool found = false;
  for (const Header& header : headers) {
    if (!EqualsIgnoreCase(name, header.name)) {
      continue;
    }
    if (found) {
      out.push_back(',');
    } else {
      out.append(name);
      out.push_back(':');
    }
    AppendValue(header.value, out);
    found = true;
  }
  out.push_back('\n');
  return found;
}

}  // namespace

bool StartsWithIgnoreCase(std::string_view lower_prefix, std::string_view text) {
  if (text.size() < lower_prefix.size()) {
    return false;
  }
  for (std::size_t i = 0; i < lower_prefix.size(); ++i) {
    if (LowerAscii(text[i]) != lower_prefix[i]) {
      return false;
    }
  }
  return true;
}

std::string_view TrimBlanks(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && blank(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

bool HeaderNames::ParseList(std::string_view list) {
  names_.clear();
  if (std::any_of(list.begin(), list.end(), [](char c) { return LowerAscii(c) != c; })) {
    storage_.resize(list.size());
    std::transform(list.begin(), list.end(), storage_.begin(),
                   [](char c) { return LowerAscii(c); });
    list = storage_;
  }
  while (true) {
    const std::size_t end = list.find(';');
    const std::string_view name = list.substr(0, end);
    if (name.empty() || names_.size() == kNamesMax) {
      return false;
    }
    names_.push_back(name);
    if (end == std::string_view::npos) {
      break;
    }
    list.remove_prefix(end + 1);
  }
  if (!std::is_sorted(names_.begin(), names_.end())) {
    std::sort(names_.begin(), names_.end());
  }
  return std::adjacent_find(names_.begin(), names_.end()) == names_.end();
}

void HeaderNames::Assign(std::span<const std::string_view> names) {
  std::size_t size = 0;
  for (const std::string_view name : names) {
    size += name.size();
  }
  storage_.resize(size);
  names_.clear();
  char* to = storage_.data();
  for (const std::string_view name : names) {
    std::transform(name.begin(), name.end(), to, [](char c) { return LowerAscii(c); });
    names_.emplace_back(to, name.size());
    to += name.size();
  }
  std::sort(names_.begin(), names_.end());
  names_.erase(std::unique(names_.begin(), names_.end()), names_.end());
}

void AppendCanonicalPath(std::string_view path, std::string& out) {
  if (path.empty() || path == "/") {
    out.push_back('/');
    return;
  }
  const bool directory = path.back() == '/';
  std::vector<std::string_view> segments;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view segment = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (segment == "..") {
      if (!segments.empty()) {
        segments.pop_back();
      }
    } else if (!segment.empty() && segment != ".") {
      segments.push_back(segment);
    }
  }
  for (const std::string_view segment : segments) {
    out.push_back('/');
    for (const char c : segment) {
      if (IsUnreserved(c)) {
        out.push_back(c);
      } else {
        AppendEncoded(c, out);
      }
    }
  }
  if (segments.empty() || directory) {
    out.push_back('/');
  }
}

void AppendCanonicalQuery(std::string_view query, std::string& out) {
  if (query.empty()) {
    return;
  }
  std::vector<std::pair<std::string, std::string>> pairs;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) {
      continue;
    }
    const std::size_t equals = std::min(pair.find('='), pair.size());
    pairs.emplace_back(Recoded(pair.substr(0, equals)),
                       Recoded(pair.substr(std::min(equals + 1, pair.size()))));
  }
  std::sort(pairs.begin(), pairs.end());
  bool first = true;
  for (const auto& [name, value] : pairs) {
    if (!std::exchange(first, false)) {
      out.push_back('&');
    }
    out.append(name).append("=").append(value);
  }
}

bool AppendCanonicalRequest(const Request& request, const HeaderNames& names,
                            std::string_view payload_hash, std::string& out) {
  out.append(request.method);
  out.push_back('\n');
  AppendCanonicalPath(request.path, out);
  out.push_back('\n');
  AppendCanonicalQuery(request.query, out);
  out.push_back('\n');
  for (const std::string_view name : names.names()) {
    if (!AppendHeader(name, request.headers, out)) {
      return false;
    }
  }
  char separator = '\n';
  for (const std::string_view name : names.names()) {
    out.push_back(separator);
    out.append(name);
    separator = ';';
  }
  out.push_back('\n');
  out.append(payload_hash);
  return true;
}

}  // namespace keyturn::sigv4
