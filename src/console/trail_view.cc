// The last records of the trail, filtered.
#include <algorithm>
#include <charconv>

#include "console/views.h"
#include "json/json.h"
#include "server/form.h"
#include "service/access.h"
#include "trail/lookup.h"

namespace keyturn::console {
namespace {

constexpr std::size_t kLimitDefault = 50;
constexpr std::size_t kLimitMax = 500;
// What one request reads of the trail at most; the answer says from where to go on.
constexpr std::uint64_t kReadBytesMax = 64ULL << 20;
// A record holds a policy at most, and names.
constexpr json::Limits kRecordLimits{.bytes_max = 1 << 20, .depth_max = 64};

struct Filter {
  std::string account;
  std::string key_id;     // part of a resource's ARN
  std::string principal;  // part of the caller's ARN
  std::string operation;
};

std::string_view TextAt(const json::Value& value, std::string_view name) {
  const auto member = value.Find(name);
  return member ? member->AsString().value_or(std::string_view()) : std::string_view();
}

bool HasKey(const json::Value& record, std::string_view key_id) {
  const auto resources = record.Find("resources");
  bool found = false;
  if (resources) {
    resources->ForEachElement([&](std::size_t, json::Value each) {
      found = TextAt(each, "ARN").find(key_id) != std::string_view::npos;
      return !found;
    });
  }
  return found;
}

// Passes: another account's record passes for nobody.
bool Passes(const json::Value& record, const Filter& filter) {
  if (TextAt(record, "recipientAccountId") != filter.account) return false;
  if (!filter.operation.empty() && TextAt(record, "eventName") != filter.operation) return false;
  if (!filter.principal.empty()) {
    const auto identity = record.Find("userIdentity");
    if (!identity || TextAt(*identity, "arn").find(filter.principal) == std::string_view::npos) {
      return false;
    }
  }
  return filter.key_id.empty() || HasKey(record, filter.key_id);
}

template <typename Number>
bool ParseNumber(std::string_view text, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

// ParsePlace: "<segment>.<offset>", as the answer before said it.
std::optional<trail::Place> ParsePlace(std::string_view text) {
  const std::size_t dot = text.find('.');
  trail::Place place;
  if (dot == std::string_view::npos || !ParseNumber(text.substr(0, dot), place.first_sequence) ||
      !ParseNumber(text.substr(dot + 1), place.offset)) {
    return std::nullopt;
  }
  return place;
}

}  // namespace

Status ViewTrail(service::Service& service, server::RequestState& request) {
  const service::Environment& environment = service.environment();
  const service::Call call{environment, request.caller, request.region, request.now,
                           environment.tables};
  KT_TRY(service::AuthorizeResource(call, "keyturn:LookupEvents", "*"));
  const auto query = server::Form::Parse(request.exchange->request().query);
  if (!query) return Fail(ErrorCode::kValidationException, "The query is malformed.");
  const Filter filter{std::string(request.caller.account().text()), query->Get("key-id"),
                      query->Get("principal"), query->Get("operation")};
  std::size_t limit = kLimitDefault;
  const auto limit_text = query->Find("limit");
  if (limit_text && (!ParseNumber(*limit_text, limit) || limit == 0 || limit > kLimitMax)) {
    return Fail(ErrorCode::kValidationException, "limit must be a number from 1 to 500.");
  }
  std::optional<trail::Place> before;
  if (const auto text = query->Find("before")) {
    before = ParsePlace(*text);
    if (!before) return Fail(ErrorCode::kInvalidMarkerException, "before is not a place.");
  }
  json::Parser parser(kRecordLimits);
  json::Writer out(request.body);
  out.BeginObject().Key("Records").BeginArray();
  std::size_t found = 0;
  const auto next = trail::ReadBackwards(service.directory(), before, kReadBytesMax,
                                         [&](std::string_view line, const trail::Place& /*place*/) {
                                           const auto record = parser.Parse(line);
                                           if (!record || !Passes(*record, filter)) return true;
                                           out.Raw(line);
                                           return ++found < limit;
                                         });
  if (!next) {
    if (next.error().code != ErrorCode::kUsage) return Fail(next.error());
    return Fail(ErrorCode::kInvalidMarkerException, "before is not a place of the trail.");
  }
  out.EndArray();
  if (*next) {
    out.Key("Before").String(std::to_string((*next)->first_sequence) + "." +
                             std::to_string((*next)->offset));
  }
  out.EndObject();
  return {};
}

}  // namespace keyturn::console
