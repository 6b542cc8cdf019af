#include "http/webhook.h"

#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

#include "base/hex.h"
#include "crypto/digest.h"
#include "http/server.h"

namespace keyturn::http {
namespace {

constexpr std::string_view kHttps = "https://";
constexpr std::string_view kHttp = "http://";
constexpr std::chrono::milliseconds kTimeout{10'000};
constexpr std::chrono::milliseconds kPumpStep{100};
constexpr std::size_t kAnswerBytesMax = 64 << 10;

// HostOf: the host of what follows a scheme, brackets of IPv6 taken off.
std::string_view HostOf(std::string_view rest) {
  rest = rest.substr(0, rest.find_first_of("/?#"));
  if (rest.starts_with('[')) return rest.substr(1, rest.find(']') - 1);
  return rest.substr(0, rest.find(':'));
}

Status Taken(const Result<ClientResponse>& answer) {
  if (!answer) return Fail(answer.error());
  if (answer->status >= 200 && answer->status <= 299) return {};
  return Fail(ErrorCode::kNetwork, "status " + std::to_string(answer->status));
}

}  // namespace

Status CheckWebhookUrl(const std::string& url) {
  const std::string_view text = url;
  if (text.find('@') != std::string_view::npos) {
    return Fail(ErrorCode::kUsage, "a URL with a user name is not accepted");
  }
  if (text.starts_with(kHttps) && !HostOf(text.substr(kHttps.size())).empty()) return {};
  if (text.starts_with(kHttp) && IsLoopbackAddress(HostOf(text.substr(kHttp.size())))) return {};
  return Fail(ErrorCode::kUsage,
              "'" + url + "' is neither https:// nor http:// on a loopback address");
}

Result<Webhook> Webhook::Open(const WebhookTarget& target) {
  ClientOptions options;
  options.response_bytes_max = kAnswerBytesMax;
  options.direct = target.url.starts_with(kHttp);
  KT_ASSIGN(auto client, Client::Create(options));
  return Webhook(target.url, SecretBytes::CopyOf(target.secret.reveal()), std::move(client));
}

Webhook::Webhook(std::string url, SecretBytes secret, std::unique_ptr<Client> client)
    : url_(std::move(url)), secret_(std::move(secret)), client_(std::move(client)) {}

Status Webhook::Send(const std::string& event_id, const std::string& body,
                     const std::atomic<bool>& stopping) {
  ClientRequest request;
  request.url = url_;
  request.body = body;
  request.timeout = kTimeout;
  const auto mac = crypto::HmacSha256(secret_.reveal(), AsBytes(body));
  request.headers = {{"content-type", "application/json"},
                     {"user-agent", "keyturn"},
                     {"x-keyturn-event-id", event_id},
                     {"x-keyturn-signature", "sha256=" + HexEncode(mac)}};
  std::optional<Status> status;
  client_->Submit(std::move(request),
                  [&status](const Result<ClientResponse>& answer) { status = Taken(answer); });
  while (!status) {
    if (stopping) {
      client_->CancelAll();
    } else {
      client_->Pump(kPumpStep);
    }
  }
  return *status;
}

}  // namespace keyturn::http
