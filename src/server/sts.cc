#include "server/sts.h"

#include <fmt/format.h>

#include <charconv>

#include "server/form.h"
#include "server/web_identity.h"
#include "service/sts.h"

namespace keyturn::server {
namespace {

constexpr std::string_view kNamespace = "https://sts.amazonaws.com/doc/2011-06-15/";
constexpr std::string_view kFormType = "application/x-www-form-urlencoded";

// Xml escapes text. Control characters, which XML 1.0 cannot hold, become '?'.
std::string Xml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? '?' : c;
    }
  }
  return out;
}

std::string Element(std::string_view name, std::string_view text) {
  return fmt::format("<{0}>{1}</{0}>", name, Xml(text));
}

std::string Credentials(const service::Assumed& assumed) {
  std::string out = "<Credentials>";
  out += Element("AccessKeyId", assumed.session.access_key_id);
  out += Element("SecretAccessKey", AsText(assumed.session.secret.reveal()));
  out += Element("SessionToken", assumed.token);
  out += Element("Expiration", FormatIso8601(assumed.session.expires));
  return out + "</Credentials>";
}

std::string AssumedRoleUser(const service::Assumed& assumed) {
  std::string out = "<AssumedRoleUser>" + Element("AssumedRoleId", assumed.assumed_role_id) +
                    Element("Arn", assumed.session.arn) + "</AssumedRoleUser>";
  if (assumed.packed_percent > 0) {
    out += Element("PackedPolicySize", std::to_string(assumed.packed_percent));
  }
  if (!assumed.session.source_identity.empty()) {
    out += Element("SourceIdentity", assumed.session.source_identity);
  }
  return out;
}

Result<std::optional<std::int64_t>> Duration(const Form& form) {
  const auto text = form.Find("DurationSeconds");
  if (!text) return std::optional<std::int64_t>();
  std::int64_t seconds = 0;
  const char* const end = text->data() + text->size();
  const auto [rest, error] = std::from_chars(text->data(), end, seconds);
  if (error != std::errc() || rest != end) {
    return Fail(ErrorCode::kValidationException, "DurationSeconds must be a number");
  }
  return std::optional<std::int64_t>(seconds);
}

// ReadRoleSession reads what both ways to assume a role have. What is not supported is refused,
// never ignored.
Result<service::AssumeRoleRequest> ReadRoleSession(const Form& form) {
  if (form.HasUnder("PolicyArns.")) {
    return Fail(ErrorCode::kValidationException,
                "PolicyArns is not supported by this server: it has no managed policies.");
  }
  service::AssumeRoleRequest request;
  request.role_arn = form.Get("RoleArn");
  request.session_name = form.Get("RoleSessionName");
  request.policy = form.Find("Policy");
  KT_ASSIGN(request.duration_seconds, Duration(form));
  return request;
}

Result<service::AssumeRoleRequest> ReadAssumeRole(const Form& form) {
  for (const char* name : {"SerialNumber", "TokenCode"}) {
    if (form.Find(name)) {
      return Fail(ErrorCode::kValidationException,
                  fmt::format("{} is not supported by this server: it has no MFA devices.", name));
    }
  }
  if (form.HasUnder("ProvidedContexts.")) {
    return Fail(ErrorCode::kValidationException,
                "ProvidedContexts is not supported by this server.");
  }
  KT_ASSIGN(service::AssumeRoleRequest request, ReadRoleSession(form));
  request.external_id = form.Find("ExternalId");
  request.source_identity = form.Find("SourceIdentity");
  for (auto& [key, value] : form.Pairs("Tags")) request.tags.push_back({key, value});
  request.transitive_tag_keys = form.List("TransitiveTagKeys");
  return request;
}

// NoteParameters: what the trail shows of the request; never a token or a session policy's secret
// neighbours, of which there are none. source_identity is a parameter, or a claim of the token.
void NoteParameters(const Form& form, const std::optional<std::string>& external_id,
                    const std::optional<std::string>& source_identity, AuditFacts& facts) {
  facts.request_parameters.clear();
  json::Writer out(facts.request_parameters);
  out.BeginObject();
  const std::pair<const char*, std::optional<std::string>> members[] = {
      {"roleArn", form.Find("RoleArn")},
      {"roleSessionName", form.Find("RoleSessionName")},
      {"durationSeconds", form.Find("DurationSeconds")},
      {"externalId", external_id},
      {"sourceIdentity", source_identity},
      {"policy", form.Find("Policy")}};
  for (const auto& [shown, value] : members) {
    if (value) out.Key(shown).String(*value);
  }
  out.EndObject();
}

void NoteAssumed(const service::Assumed& assumed, AuditFacts& facts) {
  json::Writer out(facts.response_elements);
  out.BeginObject().Key("credentials").BeginObject();
  out.Key("accessKeyId").String(assumed.session.access_key_id);
  out.Key("expiration").String(FormatIso8601(assumed.session.expires)).EndObject();
  if (!assumed.assumed_role_id.empty()) {
    out.Key("assumedRoleUser").BeginObject();
    out.Key("assumedRoleId").String(assumed.assumed_role_id);
    out.Key("arn").String(assumed.session.arn).EndObject();
  }
  out.EndObject();
}

Result<std::string> RunWebIdentity(service::Call& call, const Form& form, AuditFacts& facts) {
  NoteParameters(form, {}, {}, facts);
  const std::string token = form.Get("WebIdentityToken");
  if (form.Find("ProviderId")) {
    return Fail(ErrorCode::kValidationException,
                "ProviderId is not supported by this server: tokens must be of OpenID Connect.");
  }
  KT_ASSIGN(const service::AssumeRoleRequest request, ReadRoleSession(form));
  KT_ASSIGN(const std::string host, IssuerHost(token));
  const auto arn = model::Arn::Parse(request.role_arn);
  const auto account = arn ? model::AccountId::Parse(arn->account) : std::nullopt;
  const service::ProviderPtr provider = account ? call.view.FindProvider(*account, host) : nullptr;
  if (!provider) {
    return Fail(ErrorCode::kMalformed,
                "No OpenIDConnect provider found in your account for https://" + host);
  }
  KT_ASSIGN(const service::WebIdentity identity, VerifyWebIdentity(token, provider, call.now));
  NoteParameters(form, {}, identity.source_identity, facts);
  KT_ASSIGN(const service::Assumed assumed,
            service::AssumeRoleWithWebIdentity(call, request, identity));
  NoteAssumed(assumed, facts);
  return Credentials(assumed) + AssumedRoleUser(assumed) +
         Element("SubjectFromWebIdentityToken", identity.subject) +
         Element("Audience", identity.audience) +
         Element("Provider",
                 fmt::format("arn:aws:iam::{}:oidc-provider/{}", account->text(), provider->host));
}

Result<std::string> RunSigned(service::Call& call, std::string_view action, const Form& form,
                              AuditFacts& facts) {
  if (action == "GetCallerIdentity") {
    return Element("Arn", call.caller.arn()) + Element("UserId", call.caller.unique_id()) +
           Element("Account", call.account().text());
  }
  NoteParameters(form, form.Find("ExternalId"), form.Find("SourceIdentity"), facts);
  if (action == "AssumeRole") {
    KT_ASSIGN(const service::AssumeRoleRequest request, ReadAssumeRole(form));
    KT_ASSIGN(const service::Assumed assumed, service::AssumeRole(call, request));
    NoteAssumed(assumed, facts);
    return Credentials(assumed) + AssumedRoleUser(assumed);
  }
  if (action == "GetSessionToken") {
    if (form.Find("SerialNumber") || form.Find("TokenCode")) {
      return Fail(ErrorCode::kValidationException,
                  "SerialNumber is not supported by this server: it has no MFA devices.");
    }
    KT_ASSIGN(const auto duration, Duration(form));
    KT_ASSIGN(const service::Assumed assumed, service::GetSessionToken(call, duration));
    NoteAssumed(assumed, facts);
    return Credentials(assumed);
  }
  return Fail(ErrorCode::kUnknownOperationException,
              fmt::format("Could not find operation {} for version 2011-06-15", action));
}

struct Wire {
  std::string_view code;
  int status;
};

Wire WireOf(ErrorCode code) {
  // The other codes cannot come from here, and would be ours to repair.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wswitch-enum"
  switch (code) {
    case ErrorCode::kAccessDeniedException:
      return {"AccessDenied", 403};
    case ErrorCode::kValidationException:
      return {"ValidationError", 400};
    case ErrorCode::kMalformedPolicyDocumentException:
      return {"MalformedPolicyDocument", 400};
    case ErrorCode::kLimitExceededException:
      return {"PackedPolicyTooLarge", 400};
    case ErrorCode::kMalformed:
      return {"InvalidIdentityToken", 400};
    case ErrorCode::kTagException:
      return {"InvalidParameterValue", 400};
    case ErrorCode::kExpiredTokenException:
      return {"ExpiredTokenException", 400};
    case ErrorCode::kUnknownOperationException:
      return {"InvalidAction", 400};
    case ErrorCode::kSerializationException:
      return {"MalformedInput", 400};
    case ErrorCode::kUnrecognizedClientException:
      return {"InvalidClientTokenId", 403};
    case ErrorCode::kInvalidSignatureException:
      return {"SignatureDoesNotMatch", 403};
    case ErrorCode::kIncompleteSignatureException:
      return {"IncompleteSignature", 400};
    case ErrorCode::kMissingAuthenticationTokenException:
      return {"MissingAuthenticationToken", 403};
    default:
      return {"InternalFailure", 500};
  }
#pragma GCC diagnostic pop
}

}  // namespace

bool IsStsRequest(const http::RequestView& view) {
  return view.Header("x-amz-target").empty() && view.Header("content-type").starts_with(kFormType);
}

int AppendStsError(const Error& error, const UuidText& request_id, std::string& out) {
  const Wire wire = WireOf(error.code);
  out += fmt::format(
      "<ErrorResponse xmlns=\"{}\"><Error><Type>{}</Type><Code>{}</Code>{}</Error>{}"
      "</ErrorResponse>\n",
      kNamespace, wire.status == 500 ? "Receiver" : "Sender", wire.code,
      Element("Message", wire.status == 500 ? std::string_view() : error.message),
      Element("RequestId", {request_id.data(), request_id.size()}));
  return wire.status;
}

void Pipeline::ServeSts(const RequestPtr& request) {
  request->sts = true;
  request->audit.event_name = "Unknown";
  const auto form = Form::Parse(request->exchange->request().body);
  if (!form) {
    Refuse(request, {ErrorCode::kSerializationException, form.error().message, {}});
    return;
  }
  const std::string action = form->Get("Action");
  request->audit.event_name = SafeEventName(action);
  const bool is_unsigned = action == "AssumeRoleWithWebIdentity";
  if (is_unsigned) {
    const http::RequestView& view = request->exchange->request();
    request->region = model::Region::Find("us-east-1").value_or(model::Region());
    request->caller.peer = {view.remote_address, view.Header("user-agent"), view.tls.has_value()};
  } else if (const Status known = Authenticate(*request, "sts"); !known) {
    metrics_.CountUnauthenticated();
    Refuse(request, known.error());
    return;
  }
  const service::Environment& environment = service_.environment();
  service::Call call{environment, request->caller, request->region, request->now,
                     environment.tables};
  auto result = is_unsigned ? RunWebIdentity(call, *form, request->audit)
                            : RunSigned(call, action, *form, request->audit);
  if (!result) {
    request->audit.response_elements.clear();
    Refuse(request, result.error());
    return;
  }
  request->body = fmt::format(
      "<{0}Response xmlns=\"{1}\"><{0}Result>{2}</{0}Result><ResponseMetadata>{3}"
      "</ResponseMetadata></{0}Response>\n",
      action, kNamespace, *result,
      Element("RequestId", {request->request_id.data(), request->request_id.size()}));
  WipeMemory(result->data(), result->size());
  Succeed(request);
}

}  // namespace keyturn::server
