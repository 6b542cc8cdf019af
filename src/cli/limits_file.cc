#include "cli/limits_file.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "cli/yaml_json.h"
#include "json/json.h"
#include "service/files.h"

namespace keyturn::cli {
namespace {

constexpr double kNumberMax = 1e12;

tl::unexpected<Error> Wrong(const std::string& name, std::string_view member,
                            std::string_view what) {
  return Fail(ErrorCode::kUsage, fmt::format("{}: {}: {}", name, member, what));
}

// Number reads a scalar, which YamlToJson has made a string.
Result<double> Number(const std::string& name, std::string_view member, json::Value value) {
  const std::string_view text = value.AsString().value_or("");
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() ||
      !(number > 0 && number <= kNumberMax)) {
    return Wrong(name, member, "must be a number above 0");
  }
  return number;
}

Result<std::uint64_t> Count(const std::string& name, std::string_view member, json::Value value) {
  KT_ASSIGN(const double number, Number(name, member, value));
  if (number != std::floor(number)) return Wrong(name, member, "must be a whole number");
  return static_cast<std::uint64_t>(number);
}

Status ReadResources(const std::string& name, json::Value resources, service::Quotas& quotas) {
  Status status;
  const bool object = resources.ForEachMember([&](std::string_view member, json::Value value) {
    const auto count = Count(name, member, value);
    if (!count) {
      status = Fail(count.error());
    } else if (member == "keys") {
      quotas.keys = *count;
    } else if (member == "aliases_per_key") {
      quotas.aliases_per_key = *count;
    } else if (member == "grants_per_key") {
      quotas.grants_per_key = *count;
    } else if (member == "policy_bytes") {
      quotas.policy_bytes = *count;
    } else {
      status =
          Wrong(name, member, "is none of keys, aliases_per_key, grants_per_key, policy_bytes");
    }
    return status.has_value();
  });
  if (!object) return Wrong(name, "resources", "must be a mapping");
  return status;
}

Status ReadRequests(const std::string& name, json::Value requests, service::Quotas& quotas) {
  Status status;
  const bool object = requests.ForEachMember([&](std::string_view member, json::Value value) {
    const auto group = service::RequestGroup::Parse(member);
    const auto rate = Number(name, member, value);
    if (!group) {
      status = Wrong(name, member,
                     "has no request quota: name an operation that has one of its own, symmetric, "
                     "rsa, ecc, ml-dsa, custom-key-store, or GenerateDataKeyPair:<spec>");
    } else if (!rate) {
      status = Fail(rate.error());
    } else {
      quotas.requests[*group] = *rate;
    }
    return status.has_value();
  });
  if (!object) return Wrong(name, "requests_per_second", "must be a mapping");
  return status;
}

}  // namespace

Result<service::Quotas> ParseLimits(const std::string& name, std::string_view yaml) {
  auto text = YamlToJson(yaml);
  if (!text) return Fail(ErrorCode::kUsage, name + ": " + text.error().message);
  json::Parser parser;
  auto document = parser.Parse(*text);
  if (!document) return Fail(ErrorCode::kUsage, name + ": " + document.error().message);
  service::Quotas quotas;
  if (const auto base = document->Find("base")) {
    const std::string_view named = base->AsString().value_or("");
    if (named != "aws" && named != "off") return Wrong(name, "base", "must be aws or off");
    if (named == "aws") quotas = service::Quotas::Aws();
  }
  Status status;
  const bool object = document->ForEachMember([&](std::string_view member, json::Value value) {
    if (member == "resources") {
      status = ReadResources(name, value, quotas);
    } else if (member == "requests_per_second") {
      status = ReadRequests(name, value, quotas);
    } else if (member != "base") {
      status = Wrong(name, member, "is none of base, resources, requests_per_second");
    }
    return status.has_value();
  });
  if (!object) return Fail(ErrorCode::kUsage, name + ": must be a mapping");
  KT_TRY(status);
  return quotas;
}

Result<service::Quotas> ReadLimits(const std::string& off_aws_or_file) {
  if (off_aws_or_file == "off") return service::Quotas();
  if (off_aws_or_file == "aws") return service::Quotas::Aws();
  KT_ASSIGN(const SecretBytes text, service::ReadSmallFile(off_aws_or_file));
  return ParseLimits(off_aws_or_file, AsText(text.reveal()));
}

}  // namespace keyturn::cli
