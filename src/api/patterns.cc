#include "api/patterns.h"

#include <algorithm>
#include <array>

#include "model/ids.h"

namespace keyturn::api::pattern {
namespace {

bool IsAlnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLowerHex(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f'); }

template <typename Predicate>
bool All(std::string_view text, Predicate allowed) {
  return std::all_of(text.begin(), text.end(), allowed);
}

// AlnumOr: letters, digits and the characters of extra.
bool AlnumOr(std::string_view text, std::string_view extra) {
  return All(text, [&](char c) { return IsAlnum(c) || extra.find(c) != std::string_view::npos; });
}

// Latin1 walks UTF-8 text and accepts code points from 0x20 to 0xFF, and tab, LF, CR if asked.
bool Latin1(std::string_view text, bool line_breaks) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20) {
      if (!line_breaks || (byte != '\t' && byte != '\n' && byte != '\r')) {
        return false;
      }
    } else if (byte >= 0x80) {
      // U+0080..U+00FF are the two-byte sequences that begin with C2 or C3.
      if ((byte != 0xC2 && byte != 0xC3) || i + 1 == text.size()) {
        return false;
      }
      ++i;
    }
  }
  return true;
}

bool IsCluster(std::string_view text) {
  constexpr std::string_view kPrefix = "cluster-";
  if (!text.starts_with(kPrefix)) {
    return false;
  }
  text.remove_prefix(kPrefix.size());
  return text.size() >= 11 && text.size() <= 16 &&
         All(text, [](char c) { return (c >= '2' && c <= '7') || (IsAlnum(c) && !IsDigit(c)); });
}

bool IsXksPath(std::string_view text) {
  // Ends in /kms/xks/v and one or two digits; what stands before is empty or a path.
  std::size_t digits = 0;
  while (digits < 2 && !text.empty() && IsDigit(text.back())) {
    text.remove_suffix(1);
    ++digits;
  }
  constexpr std::string_view kSuffix = "/kms/xks/v";
  if (digits == 0 || !text.ends_with(kSuffix)) {
    return false;
  }
  text.remove_suffix(kSuffix.size());
  return text.empty() || (text.front() == '/' && text.size() > 1 && AlnumOr(text, "/_-"));
}

bool IsVpcService(std::string_view text) {
  for (const std::string_view prefix : {"com.amazonaws.vpce.", "eu.amazonaws.vpce."}) {
    if (!text.starts_with(prefix)) {
      continue;
    }
    const std::string_view rest = text.substr(prefix.size());
    constexpr std::string_view kService = ".vpce-svc-";
    const std::size_t at = rest.find(kService);
    if (at == std::string_view::npos) {
      return false;
    }
    const std::string_view id = rest.substr(at + kService.size());
    return model::Region::IsValid(rest.substr(0, at)) && !id.empty() &&
           All(id, [](char c) { return IsDigit(c) || (c >= 'a' && c <= 'z'); });
  }
  return false;
}

}  // namespace

const Pattern kAccountId{"[0-9]{12}",
                         [](std::string_view t) { return t.size() == 12 && All(t, IsDigit); }};
const Pattern kAliasName{"^[a-zA-Z0-9:/_-]+$",
                         [](std::string_view t) { return !t.empty() && AlnumOr(t, ":/_-"); }};
const Pattern kBackingKeyId{"^[a-f0-9]+$",
                            [](std::string_view t) { return !t.empty() && All(t, IsLowerHex); }};
const Pattern kBackingKeyIdResponse = kBackingKeyId;
const Pattern kCloudHsmClusterId{"cluster-[2-7a-zA-Z]{11,16}", IsCluster};
const Pattern kKeyMaterialDescription{"^[a-zA-Z0-9:/_\\s.-]+$", [](std::string_view t) {
                                        return !t.empty() && AlnumOr(t, ":/_.- \t\n\v\f\r");
                                      }};
const Pattern kMarker{"[\\u0020-\\u00FF]*", [](std::string_view t) { return Latin1(t, false); }};
const Pattern kPolicy{"[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+",
                      [](std::string_view t) { return !t.empty() && Latin1(t, true); }};
const Pattern kPolicyName{"[\\w]+",
                          [](std::string_view t) { return !t.empty() && AlnumOr(t, "_"); }};
const Pattern kPrincipalId{
    "^[\\w+=,.@:/-]+$", [](std::string_view t) { return !t.empty() && AlnumOr(t, "_+=,.@:/-"); }};
const Pattern kRegion{"^([a-z]+-){2,3}\\d+$", model::Region::IsValid};
const Pattern kXksAccessKeyId{"^[A-Z2-7]+$", [](std::string_view t) {
                                return !t.empty() && All(t, [](char c) {
                                  return (c >= 'A' && c <= 'Z') || (c >= '2' && c <= '7');
                                });
                              }};
const Pattern kXksSecret{"^[a-zA-Z0-9\\/+=]+$",
                         [](std::string_view t) { return !t.empty() && AlnumOr(t, "/+="); }};
const Pattern kXksKeyId{"^[a-zA-Z0-9-_.]+$",
                        [](std::string_view t) { return !t.empty() && AlnumOr(t, "-_."); }};
const Pattern kXksUriEndpoint{"^https://[a-zA-Z0-9.-]+$", [](std::string_view t) {
                                return t.starts_with("https://") && t.size() > 8 &&
                                       AlnumOr(t.substr(8), ".-");
                              }};
const Pattern kXksUriPath{"^(/[a-zA-Z0-9\\/_-]+/kms/xks/v\\d{1,2})$|^(/kms/xks/v\\d{1,2})$",
                          IsXksPath};
const Pattern kXksVpcService{
    "^(com|eu)\\.amazonaws\\.vpce\\.([a-z]+-){2,3}\\d+\\.vpce-svc-[0-9a-z]+$", IsVpcService};

}  // namespace keyturn::api::pattern
