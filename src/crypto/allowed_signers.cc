// Allowed signers: who may have signed, as ssh-keygen(1) lets one write it down.
#include <algorithm>
#include <charconv>

#include "base/base64.h"
#include "crypto/ssh_signature.h"

namespace keyturn::crypto {
namespace {

constexpr std::size_t kTextBytesMax = 1 << 20;

// Matches: a pattern with * and ?.
bool Matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

// TakeWord takes a word off the front; quotes keep white space within one.
std::string_view TakeWord(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  bool quoted = false;
  std::size_t end = 0;
  while (end < line.size() && (quoted || (line[end] != ' ' && line[end] != '\t'))) {
    if (line[end] == '"') quoted = !quoted;
    ++end;
  }
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(end);
  return word;
}

// ParseTime: YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS, with or without a Z.
std::optional<TimePoint> ParseTime(std::string_view text) {
  if (text.ends_with('Z')) text.remove_suffix(1);
  if (text.size() != 8 && text.size() != 12 && text.size() != 14) return std::nullopt;
  if (text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  std::string basic = std::string(text.substr(0, 8)) + 'T' + std::string(text.substr(8));
  basic.resize(15, '0');
  return ParseBasic(basic + 'Z');
}

void Split(std::string_view text, std::vector<std::string>& out) {
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    if (comma > 0) out.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
}

// ReadOption takes one option; false when it cannot be understood, which must not be passed over.
bool ReadOption(std::string_view option, AllowedSigner& signer, bool& authority) {
  const std::size_t equals = std::min(option.find('='), option.size());
  std::string name(option.substr(0, equals));
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (name == "cert-authority" && equals == option.size()) {
    authority = true;
    return true;
  }
  std::string_view value = option.substr(std::min(equals + 1, option.size()));
  if (value.size() < 2 || value.front() != '"' || value.back() != '"') return false;
  value = value.substr(1, value.size() - 2);
  if (name == "namespaces") {
    Split(value, signer.namespaces);
    return !signer.namespaces.empty();
  }
  if (name != "valid-after" && name != "valid-before") return false;
  const auto time = ParseTime(value);
  if (!time) return false;
  (name == "valid-after" ? signer.valid_after : signer.valid_before) = time;
  return true;
}

bool ReadOptions(std::string_view word, AllowedSigner& signer, bool& authority) {
  while (!word.empty()) {
    bool quoted = false;
    std::size_t end = 0;
    while (end < word.size() && (quoted || word[end] != ',')) {
      if (word[end] == '"') quoted = !quoted;
      ++end;
    }
    if (!ReadOption(word.substr(0, end), signer, authority)) return false;
    word.remove_prefix(std::min(end + 1, word.size()));
  }
  return true;
}

bool IsKeyType(std::string_view word) {
  return word.starts_with("ssh-") || word.starts_with("ecdsa-") || word.starts_with("sk-");
}

}  // namespace

Result<std::vector<AllowedSigner>> ParseAllowedSigners(std::string_view text,
                                                       std::string_view place) {
  if (text.size() > kTextBytesMax) {
    return Fail(ErrorCode::kUsage, std::string(place) + ": the file is too large");
  }
  std::vector<AllowedSigner> signers;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto wrong = [&](std::string_view what) {
      return Fail(ErrorCode::kUsage,
                  std::string(place) + ":" + std::to_string(number) + ": " + std::string(what));
    };
    const std::string_view principals = TakeWord(line);
    if (principals.empty() || principals.starts_with('#')) continue;
    AllowedSigner signer;
    signer.principals = principals;
    std::string_view word = TakeWord(line);
    bool authority = false;
    if (!IsKeyType(word)) {
      if (!ReadOptions(word, signer, authority)) return wrong("an option is not understood");
      word = TakeWord(line);
    }
    if (!IsKeyType(word)) return wrong("there is no type of key");
    auto blob = Base64Decode(TakeWord(line));
    if (!blob) return wrong("the key is no base64");
    signer.public_blob = *std::move(blob);
    if (!authority) signers.push_back(std::move(signer));
  }
  return signers;
}

const AllowedSigner* FindSigner(const std::vector<AllowedSigner>& signers,
                                const SshSignature& signature, std::string_view name_space,
                                TimePoint now) {
  for (const AllowedSigner& signer : signers) {
    if (signer.public_blob != signature.public_blob) continue;
    const auto& names = signer.namespaces;
    const bool named = names.empty() || std::any_of(names.begin(), names.end(), [&](const auto& n) {
                         return Matches(n, name_space);
                       });
    if (!named || (signer.valid_after && now < *signer.valid_after) ||
        (signer.valid_before && now >= *signer.valid_before)) {
      continue;
    }
    return &signer;
  }
  return nullptr;
}

}  // namespace keyturn::crypto
