// What can be checked of a signed request without any secret, in AWS's order.
#include <fmt/format.h>

#include <algorithm>

#include "model/ids.h"
#include "sigv4/canonical.h"
#include "sigv4/sigv4.h"

namespace keyturn::sigv4 {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view kTerminator = "aws4_request";

// Found: the headers that authentication reads. Empty view with null data: absent.
struct Found {
  std::string_view authorization;
  std::string_view amz_date;
  std::string_view date;
  std::string_view security_token;
};

// Printable keeps echoed header text inside ASCII, whatever was sent.
std::string Printable(std::string_view text) {
  std::string out(text);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

Status Once(std::string_view& slot, const Header& header) {
  if (slot.data() != nullptr) {
    return Fail(ErrorCode::kInvalidSignatureException,
                fmt::format("Header '{}' appears more than once.", Printable(header.name)));
  }
  slot = TrimBlanks(header.value);
  if (slot.empty()) {
    slot = std::string_view("");
  }
  return {};
}

Result<Found> FindHeaders(std::span<const Header> headers) {
  Found found;
  for (const Header& header : headers) {
    if (EqualsIgnoreCase("authorization", header.name)) {
      KT_TRY(Once(found.authorization, header));
    } else if (EqualsIgnoreCase("x-amz-date", header.name)) {
      KT_TRY(Once(found.amz_date, header));
    } else if (EqualsIgnoreCase("date", header.name)) {
      KT_TRY(Once(found.date, header));
    } else if (EqualsIgnoreCase("x-amz-security-token", header.name)) {
      KT_TRY(Once(found.security_token, header));
    }
  }
  return found;
}

struct Parameters {
  std::string_view algorithm;
  std::string_view credential;
  std::string_view signed_headers;
  std::string_view signature;
  bool has_signed_headers = false;  // it may be empty, and then lacks host
};

// PartSize: up to a comma or blank.
std::size_t PartSize(std::string_view text) {
  text = text.substr(0, text.find(','));  // find is a vectorised memchr, find_first_of is not
  text = text.substr(0, text.find(' '));
  return std::min(text.find('\t'), text.size());
}

// ParseParameters reads name=value parts between commas and spaces; unknown names are ignored.
Result<Parameters> ParseParameters(std::string_view header) {
  Parameters parameters;
  std::string_view rest = header;
  const std::size_t space = std::min(rest.find(' '), rest.size());
  parameters.algorithm = rest.substr(0, space);
  rest.remove_prefix(space);
  while (!rest.empty()) {
    const std::size_t end = PartSize(rest);
    const std::string_view part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (part.empty()) {
      continue;
    }
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos) {
      return Fail(ErrorCode::kIncompleteSignatureException,
                  fmt::format("'{}' not a valid key=value pair (missing equal-sign) in "
                              "Authorization header: '{}'.",
                              Printable(part), Printable(header)));
    }
    const std::string_view name = part.substr(0, equals);
    const std::string_view value = part.substr(equals + 1);
    if (name == "Credential") {
      parameters.credential = value;
    } else if (name == "SignedHeaders") {
      parameters.signed_headers = value;
      parameters.has_signed_headers = true;
    } else if (name == "Signature") {
      parameters.signature = value;
    }
  }
  return parameters;
}

Status CheckComplete(const Parameters& parameters, const Found& found) {
  std::string message;
  const auto require = [&message](bool present, std::string_view name) {
    if (!present) {
      message += fmt::format("Authorization header requires '{}' parameter. ", name);
    }
  };
  require(!parameters.credential.empty(), "Credential");
  require(!parameters.signature.empty(), "Signature");
  require(parameters.has_signed_headers, "SignedHeaders");
  if (found.amz_date.empty() && found.date.empty()) {
    message +=
        "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
  }
  if (!message.empty()) {
    return Fail(ErrorCode::kIncompleteSignatureException,
                message + "Authorization=" + Printable(found.authorization));
  }
  return {};
}

// ParseTimestamp fills timestamp and basic_time. X-Amz-Date goes before Date.
Status ParseTimestamp(const Found& found, Authorization& authorization) {
  const bool amz = !found.amz_date.empty();
  const std::string_view text = amz ? found.amz_date : found.date;
  auto time = ParseBasic(text);
  if (time) {
    std::copy(text.begin(), text.end(), authorization.basic_time.begin());
  } else if (!amz && (time = ParseHttpDate(text))) {
    const std::string basic = FormatBasic(*time);
    std::copy(basic.begin(), basic.end(), authorization.basic_time.begin());
  } else {
    return Fail(ErrorCode::kIncompleteSignatureException,
                fmt::format("Date must be in ISO-8601 'basic format'. Got '{}'. See "
                            "http://en.wikipedia.org/wiki/ISO_8601",
                            Printable(text)));
  }
  authorization.timestamp = *time;
  return {};
}

Status CheckSkew(TimePoint timestamp, TimePoint now) {
  // Whole seconds, so that the texts name the very instants that were compared.
  now = std::chrono::floor<std::chrono::seconds>(now);
  const auto minutes = kClockSkewMax.count();
  if (timestamp < now - kClockSkewMax) {
    return Fail(ErrorCode::kInvalidSignatureException,
                fmt::format("Signature expired: {} is now earlier than {} ({} - {} min.)",
                            FormatBasic(timestamp), FormatBasic(now - kClockSkewMax),
                            FormatBasic(now), minutes));
  }
  if (timestamp > now + kClockSkewMax) {
    return Fail(ErrorCode::kInvalidSignatureException,
                fmt::format("Signature not yet current: {} is still later than {} ({} + {} min.)",
                            FormatBasic(timestamp), FormatBasic(now + kClockSkewMax),
                            FormatBasic(now), minutes));
  }
  return {};
}

bool SameName(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         (a == b || std::equal(a.begin(), a.end(), b.begin(),
                               [](char x, char y) { return LowerAscii(x) == LowerAscii(y); }));
}

bool IsSigned(std::string_view name, std::string_view signed_headers) {
  while (true) {
    const std::size_t end = std::min(signed_headers.find(';'), signed_headers.size());
    if (SameName(name, signed_headers.substr(0, end))) {
      return true;
    }
    if (end == signed_headers.size()) {
      return false;
    }
    signed_headers.remove_prefix(end + 1);
  }
}

// CheckSigned: host must be signed, and whatever the service takes from an x-amz-* header.
Status CheckSigned(std::span<const Header> headers, std::string_view signed_headers) {
  if (!IsSigned("host", signed_headers)) {
    return Fail(ErrorCode::kInvalidSignatureException,
                "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
  }
  for (auto at = headers.begin(); at != headers.end(); ++at) {
    const bool amz = StartsWithIgnoreCase("x-amz-", at->name);
    if (!amz && !EqualsIgnoreCase("host", at->name)) {
      continue;
    }
    if (!IsSigned(at->name, signed_headers)) {
      return Fail(ErrorCode::kInvalidSignatureException,
                  fmt::format("'{}' must be a 'SignedHeader' in the AWS Authorization.",
                              Printable(at->name)));
    }
    for (auto other = headers.begin(); other != at; ++other) {
      if (SameName(at->name, other->name)) {
        return Fail(ErrorCode::kInvalidSignatureException,
                    fmt::format("Header '{}' appears more than once.", Printable(at->name)));
      }
    }
  }
  return {};
}

// SplitCredential fills five elements; slashes at the end do not count.
bool SplitCredential(std::string_view credential, std::array<std::string_view, 5>& elements) {
  while (credential.ends_with('/')) {
    credential.remove_suffix(1);
  }
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const std::size_t end = std::min(credential.find('/'), credential.size());
    const bool last = i + 1 == elements.size();
    if (last != (end == credential.size())) {
      return false;
    }
    elements.at(i) = credential.substr(0, end);
    credential.remove_prefix(std::min(end + 1, credential.size()));
  }
  return true;
}

Status CheckScope(const Authorization& authorization, std::string_view terminator,
                  std::string_view service) {
  std::string message;
  const auto add = [&message](std::string_view text) {
    message.append(message.empty() ? "" : " ").append(text);
  };
  if (!model::Region::IsValid(authorization.region)) {
    add("Credential should be scoped to a valid region.");
  }
  if (authorization.service != service) {
    add(fmt::format("Credential should be scoped to correct service: '{}'.", service));
  }
  if (terminator != kTerminator) {
    add(fmt::format("Credential should be scoped with a valid terminator: '{}', not '{}'.",
                    kTerminator, Printable(terminator)));
  }
  const std::string_view text = authorization.timestamp_text();
  if (authorization.date != text.substr(0, 8)) {
    add(
        fmt::format("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of "
                    "date from HTTP: '{}' != '{}', from '{}'.",
                    Printable(authorization.date), text.substr(0, 8), text));
  }
  if (!message.empty()) {
    return Fail(ErrorCode::kInvalidSignatureException, std::move(message));
  }
  return {};
}

}  // namespace

Result<Authorization> ParseAuthorization(const Request& request, std::string_view service,
                                         TimePoint now) {
  KT_ASSIGN(const Found found, FindHeaders(request.headers));
  if (!found.authorization.starts_with("AWS4-")) {
    return Fail(ErrorCode::kMissingAuthenticationTokenException, "Missing Authentication Token");
  }
  KT_ASSIGN(const Parameters parameters, ParseParameters(found.authorization));
  KT_TRY(CheckComplete(parameters, found));

  Authorization authorization;
  KT_TRY(ParseTimestamp(found, authorization));
  KT_TRY(CheckSkew(authorization.timestamp, now));
  KT_TRY(CheckSigned(request.headers, parameters.signed_headers));
  if (parameters.algorithm != kAlgorithm) {
    return Fail(ErrorCode::kIncompleteSignatureException,
                fmt::format("Unsupported AWS 'algorithm': '{}' (only {} for now). ",
                            Printable(parameters.algorithm), kAlgorithm));
  }
  std::array<std::string_view, 5> elements;
  if (!SplitCredential(parameters.credential, elements)) {
    return Fail(ErrorCode::kIncompleteSignatureException,
                fmt::format("Credential must have exactly 5 slash-delimited elements, e.g. "
                            "keyid/date/region/service/term, got '{}'",
                            Printable(parameters.credential)));
  }
  authorization.access_key_id = elements[0];
  authorization.date = elements[1];
  authorization.region = elements[2];
  authorization.service = elements[3];
  authorization.signed_headers = parameters.signed_headers;
  authorization.signature = parameters.signature;
  authorization.security_token = found.security_token;
  KT_TRY(CheckScope(authorization, elements[4], service));
  return authorization;
}

}  // namespace keyturn::sigv4
