#include "console/console.h"

#include <algorithm>
#include <array>
#include <functional>

#include "console/assets.h"
#include "console/guard.h"
#include "console/jobs/job_api.h"
#include "console/views.h"
#include "json/json.h"
#include "server/form.h"
#include "server/pipeline.h"
#include "sigv4/sigv4.h"

namespace keyturn::console {
namespace {

using server::Pipeline;
using server::RequestPtr;
using server::RequestState;

constexpr std::string_view kApiPrefix = "/console/api/";
constexpr std::string_view kCallPrefix = "call/";
constexpr std::string_view kJobs = "jobs";
constexpr std::string_view kSignInSource = "signin.amazonaws.com";

// IsDestructive: what cannot be taken back once its waiting period is over, or at all.
bool IsDestructive(api::Operation operation) {
  return operation == api::Operation::kScheduleKeyDeletion ||
         operation == api::Operation::kDeleteImportedKeyMaterial ||
         operation == api::Operation::kDeleteCustomKeyStore;
}

// SignatureOf a request that Authenticate has taken: lower case, so that it has one spelling.
std::string SignatureOf(const http::RequestView& view, TimePoint now) {
  std::vector<sigv4::Header> headers;
  for (const http::HeaderView& each : view.headers) headers.push_back({each.name, each.value});
  const auto authorization = sigv4::ParseAuthorization(
      {view.method, view.path, view.query, headers, AsBytes(view.body)}, kServiceName, now);
  std::string signature;
  if (authorization) signature = authorization->signature;
  for (char& c : signature) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c + 32);
  }
  return signature;
}

Identity IdentityOf(const service::Caller& caller) {
  return {caller.access_key_id(), caller.arn(), caller.principal_arn(), caller.session};
}

Origin OriginOf(const http::RequestView& view) {
  Origin origin{std::string(view.remote_address),
                std::string(view.Header("user-agent")),
                std::string(view.Header("host")),
                {},
                {}};
  if (view.tls) {
    origin.tls_version = view.tls->version;
    origin.tls_cipher = view.tls->cipher_suite;
  }
  return origin;
}

Error ConfirmFirst() {
  return {ErrorCode::kAccessDeniedException, "Confirm this with your secret access key first.", {}};
}

class Console final : public server::Pages {
 public:
  Console(Pipeline& pipeline, const ConsoleOptions& options)
      : pipeline_(pipeline),
        sign_ins_(options.sign_in, pipeline.service().environment().random),
        jobs_(pipeline.service().directory() / "console-jobs"),
        runner_(jobs_, sign_ins_, pipeline),
        job_api_(jobs_, runner_, pipeline.service()),
        compliance_(pipeline.service().directory() / "console-history"),
        render_audit_(options.render_audit) {
    jobs_.Load();
  }

  void Start(http::Server& http) override { runner_.Start(http.loop(0)); }
  void Stop() override { runner_.Stop(); }

  void OnRequest(std::shared_ptr<http::Exchange> exchange) override {
    const std::string_view path = exchange->request().path;
    if (path.starts_with(kApiPrefix)) {
      const RequestPtr request = pipeline_.Begin(std::move(exchange));
      request->extra_head = kApiHeaders;
      request->audit.from_console = true;
      ServeApi(request, path.substr(kApiPrefix.size()));
    } else {
      ServeAsset(*exchange);
    }
  }

 private:
  void ServeApi(const RequestPtr& request, std::string_view name) {
    const http::RequestView& view = request->exchange->request();
    if (view.method == "POST" && name.starts_with(kCallPrefix)) {
      ServeCall(request, name.substr(kCallPrefix.size()));
      return;
    }
    if (name.starts_with(kJobs)) {
      ServeJobs(request, name.substr(kJobs.size()));
      return;
    }
    struct Route {
      std::string_view method;
      std::string_view name;
      void (Console::*serve)(const RequestPtr&);
    };
    static constexpr std::array<Route, 11> kRoutes = {{
        {"POST", "sign-in", &Console::ServeSignIn},
        {"GET", "session", &Console::ServeSession},
        {"POST", "sign-out", &Console::ServeSignOut},
        {"POST", "sign-out-everywhere", &Console::ServeSignOutEverywhere},
        {"POST", "confirm", &Console::ServeConfirm},
        {"GET", "keys", &Console::ServeKeys},
        {"GET", "permissions", &Console::ServePermissions},
        {"GET", "explain", &Console::ServeExplanation},
        {"GET", "history", &Console::ServeHistory},
        {"GET", "evidence", &Console::ServeEvidence},
        {"GET", "trail", &Console::ServeTrail},
    }};
    const auto* const route = std::ranges::find_if(kRoutes, [&](const Route& each) {
      return each.name == name && each.method == view.method;
    });
    if (route == kRoutes.end()) {
      const Error unknown{ErrorCode::kUnknownOperationException, {}, {}};
      pipeline_.Reply(request, &unknown);
      return;
    }
    (this->*route->serve)(request);
  }

  // Admit checks cookie, origin and token, and makes the request the signed-in person's.
  Result<SignIn> Admit(RequestState& request, bool needs_csrf) {
    const http::RequestView& view = request.exchange->request();
    KT_TRY(CheckOrigin(view, view.method == "POST"));
    const bool used = view.Header("x-keyturn-background").empty();
    KT_ASSIGN(SignIn session, sign_ins_.Find(CookieOf(view).value_or(""), request.now, used));
    if (needs_csrf) KT_TRY(CheckCsrf(view, session.csrf_token));
    KT_ASSIGN(request.caller,
              CallerOf(pipeline_.service().tables(), session.identity, request.now));
    request.caller.peer = {view.remote_address, view.Header("user-agent"), view.tls.has_value()};
    const std::string_view asked = view.Header("x-keyturn-region");
    const auto region = model::Region::InternFor(request.caller.principal_arn(),
                                                 asked.empty() ? session.region : asked);
    if (!region) {
      return Fail(ErrorCode::kValidationException,
                  model::Region::IsValid(asked)
                      ? "This server does not know the region of x-keyturn-region, and you have "
                        "used too many others that it did not know."
                      : "x-keyturn-region is not a region's name.");
    }
    request.region = *region;
    return session;
  }

  // AdmitOrRefuse: nothing when the request has been answered.
  std::optional<SignIn> AdmitOrRefuse(const RequestPtr& request, std::string_view event_name) {
    request->audit.event_name = event_name;
    auto session = Admit(*request, true);
    if (session) return std::move(*session);
    Turn(request, session.error());
    return std::nullopt;
  }

  // Turn refuses a request of nobody: counted, and told in the trail.
  void Turn(const RequestPtr& request, const Error& error) {
    pipeline_.metrics().CountUnauthenticated();
    pipeline_.Refuse(request, error);
  }

  void ServeCall(const RequestPtr& request, std::string_view name) {
    request->operation = api::FindOperation(name);
    const auto session = AdmitOrRefuse(request, server::SafeEventName(name));
    if (!session) return;
    if (const Status noted = NoteJustification(*request); !noted) {
      pipeline_.Refuse(request, noted.error());
    } else if (!request->operation) {
      pipeline_.Refuse(request, {ErrorCode::kUnknownOperationException, {}, {}});
    } else if (IsDestructive(*request->operation) && session->confirmed_until <= request->now) {
      pipeline_.Refuse(request, ConfirmFirst());
    } else {
      server::Dispatch(pipeline_, request, *request->operation);
    }
  }

  // NoteJustification takes what a person wrote to explain a change into the trail.
  static Status NoteJustification(RequestState& request) {
    const std::string_view header = request.exchange->request().Header("x-keyturn-justification");
    if (header.empty()) return {};
    const auto form = server::Form::Parse("text=" + std::string(header));
    const std::string text = form ? form->Get("text") : std::string();
    std::string object;
    json::Writer(object).BeginObject().Key("justification").String(text).EndObject();
    // The parser takes UTF-8 only.
    if (text.empty() || text.size() > kJustificationBytesMax || !json::Parser().Parse(object)) {
      return Fail(ErrorCode::kValidationException,
                  "The justification must be text of at most 2,000 bytes.");
    }
    request.audit.additional_event_data = std::move(object);
    return {};
  }

  // CheckSigned: a signature of this service name that was not seen before.
  Status CheckSigned(RequestState& request) {
    const http::RequestView& view = request.exchange->request();
    KT_TRY(CheckOrigin(view, true));
    const std::string address(view.remote_address);
    KT_TRY(sign_ins_.MayTry(address, request.now));
    Status signed_by = pipeline_.Authenticate(request, kServiceName);
    if (signed_by && !sign_ins_.TakeSignature(SignatureOf(view, request.now), request.now)) {
      request.caller = {};
      signed_by = Fail(ErrorCode::kInvalidSignatureException,
                       "This signature has been used already. Sign in again.");
    }
    if (!signed_by) sign_ins_.NoteFailure(address, request.now);
    return signed_by;
  }

  void ServeSignIn(const RequestPtr& request) {
    request->audit.event_name = "ConsoleLogin";
    request->audit.event_source = kSignInSource;
    request->audit.event_type = "AwsConsoleSignIn";
    request->audit.from_console = false;
    request->audit.read_only = false;
    if (const Status known = CheckSigned(*request); !known) {
      Turn(request, known.error());
      return;
    }
    const auto made =
        sign_ins_.Open(IdentityOf(request->caller), OriginOf(request->exchange->request()),
                       std::string(request->region.name()), request->now);
    if (!made) {
      pipeline_.Refuse(request, made.error());
      return;
    }
    request->audit.response_elements = R"({"ConsoleLogin":"Success"})";
    request->extra_head += SetCookieLine(made->cookie);
    WriteSession(*request, *sign_ins_.Find(made->cookie, request->now, false));
    runner_.Wake();  // jobs may have waited for this person
    pipeline_.Succeed(request);
  }

  void ServeSession(const RequestPtr& request) {
    const auto session = Admit(*request, false);
    if (session) WriteSession(*request, *session);
    // A page asks whenever it is loaded: nothing that belongs into the trail.
    pipeline_.Reply(request, session ? nullptr : &session.error());
  }

  void WriteSession(RequestState& request, const SignIn& session) {
    const service::Tables& tables = pipeline_.service().tables();
    const model::AccountId& account = request.caller.account();
    json::Writer out(request.body);
    out.BeginObject().Key("CsrfToken").String(session.csrf_token);
    out.Key("Arn").String(request.caller.arn());
    out.Key("Account").String(account.text());
    out.Key("AccessKeyId").String(request.caller.access_key_id());
    out.Key("Region").String(session.region);
    out.Key("Regions").BeginArray();
    for (const std::string& region : tables.ListRegions(account)) out.String(region);
    out.EndArray();
    out.Key("Expires").EpochSeconds(session.expires);
    out.Key("IdleSeconds").Int(sign_ins_.limits().idle.count());
    out.Key("ConfirmedUntil").EpochSeconds(session.confirmed_until);
    out.EndObject();
  }

  void ServeSignOut(const RequestPtr& request) {
    if (!AdmitOrRefuse(request, "ConsoleLogout")) return;
    sign_ins_.Close(CookieOf(request->exchange->request()).value_or(""));
    EndSession(request, 1);
  }

  void ServeSignOutEverywhere(const RequestPtr& request) {
    const auto session = AdmitOrRefuse(request, "ConsoleLogoutEverywhere");
    if (session) EndSession(request, sign_ins_.CloseAll(session->identity.principal_arn));
  }

  void EndSession(const RequestPtr& request, std::size_t ended) {
    request->audit.event_source = kSignInSource;
    request->audit.read_only = false;
    request->extra_head += SetCookieLine("");
    json::Writer(request->body)
        .BeginObject()
        .Key("SessionsEnded")
        .Int(static_cast<std::int64_t>(ended))
        .EndObject();
    pipeline_.Succeed(request);
  }

  void ServeConfirm(const RequestPtr& request) {
    auto session = AdmitOrRefuse(request, "ConsoleConfirm");
    if (!session) return;
    request->audit.event_source = kSignInSource;
    Status known = CheckSigned(*request);
    if (known && request->caller.access_key_id() != session->identity.access_key_id) {
      known = Fail(ErrorCode::kAccessDeniedException,
                   "Confirm with the access key you have signed in with.");
    }
    if (!known) {
      Turn(request, known.error());
      return;
    }
    const std::string_view cookie = CookieOf(request->exchange->request()).value_or("");
    sign_ins_.Confirm(cookie, request->now);
    session->confirmed_until = request->now + sign_ins_.limits().confirmation;
    WriteSession(*request, *session);
    pipeline_.Succeed(request);
  }

  // OnWorker answers on a worker: it may be about ten thousand keys, or write a file.
  void OnWorker(const RequestPtr& request, std::function<Status(RequestState&)> serve,
                bool audited = true) {
    const bool taken = pipeline_.workers().Submit(
        [this, audited, serve = std::move(serve), held = request]() mutable {
          const Status done = serve(*held);
          http::Loop& loop = held->exchange->loop();
          loop.Post([this, audited, request = std::move(held), done] {
            if (!done) {
              pipeline_.Refuse(request, done.error());
            } else if (audited) {
              pipeline_.Succeed(request);
            } else {
              pipeline_.Reply(request, nullptr);
            }
          });
        });
    if (!taken) {
      pipeline_.Refuse(request, {ErrorCode::kThrottlingException, "The server is busy.", {}});
    }
  }

  void ServeView(const RequestPtr& request, std::string_view event_name, ViewFunction view) {
    if (!AdmitOrRefuse(request, event_name)) return;
    OnWorker(request, [this, view = std::move(view)](RequestState& state) {
      return view(pipeline_.service(), state);
    });
  }

  void ServeJobs(const RequestPtr& request, std::string_view path) {
    const http::RequestView& view = request->exchange->request();
    std::string id;
    const JobApi::Action* const action = JobApi::Find(view.method, path, id);
    if (action == nullptr) {
      const Error unknown{ErrorCode::kUnknownOperationException, {}, {}};
      pipeline_.Reply(request, &unknown);
      return;
    }
    auto session = AdmitOrRefuse(request, action->event_name);
    if (!session) return;
    // Pages ask how a job is getting on every second: only what it tells of keys is recorded.
    const bool audited = view.method == "POST" || view.query != "lines=false";
    OnWorker(
        request,
        [this, action, id, session = std::move(*session)](RequestState& state) {
          return (job_api_.*action->serve)(state, session, id);
        },
        audited);
  }

  void ServeKeys(const RequestPtr& request) {
    ServeView(request, "ListKeyDetails",
              [this](auto& service, auto& state) { return ViewKeys(service, state, compliance_); });
  }
  void ServeHistory(const RequestPtr& request) {
    ServeView(request, "GetComplianceHistory", [this](auto& service, auto& state) {
      return ViewHistory(service, state, compliance_);
    });
  }
  void ServeEvidence(const RequestPtr& request) {
    ServeView(request, "GetRotationEvidence", [this](auto& service, auto& state) {
      return ViewEvidence(service, state, render_audit_);
    });
  }
  void ServeExplanation(const RequestPtr& request) {
    ServeView(request, "ExplainDecision", &ViewExplanation);
  }
  void ServePermissions(const RequestPtr& request) {
    ServeView(request, "ListKeyPermissions", &ViewPermissions);
  }
  void ServeTrail(const RequestPtr& request) { ServeView(request, "LookupEvents", &ViewTrail); }

  static constexpr std::string_view kApiHeaders =
      "X-Content-Type-Options: nosniff\r\nCross-Origin-Resource-Policy: same-origin\r\n"
      "Vary: Cookie\r\n";

  Pipeline& pipeline_;
  SignIns sign_ins_;
  JobBook jobs_;
  JobRunner runner_;
  JobApi job_api_;
  ComplianceLog compliance_;
  const RenderAudit render_audit_;
};

}  // namespace

std::unique_ptr<server::Pages> MakeConsole(Pipeline& pipeline, const ConsoleOptions& options) {
  return std::make_unique<Console>(pipeline, options);
}

}  // namespace keyturn::console
