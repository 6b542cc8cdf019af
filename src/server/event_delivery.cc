#include "server/event_delivery.h"

#include <algorithm>

#include "base/hex.h"
#include "base/log.h"
#include "crypto/digest.h"
#include "http/client.h"
#include "http/server.h"

namespace keyturn::server {
namespace {

constexpr std::size_t kBatchMax = 100;
// How often the store is looked at; a commit does not wake the thread.
constexpr std::chrono::milliseconds kLookInterval{500};
constexpr std::chrono::milliseconds kBackoffMin{1000};
constexpr std::chrono::milliseconds kBackoffMax{300'000};
constexpr std::chrono::milliseconds kAttemptTimeout{10'000};
constexpr std::chrono::milliseconds kPumpStep{100};

// HostOf: the host of http://host[:port][/...], brackets of IPv6 taken off.
std::string_view HostOf(std::string_view rest) {
  rest = rest.substr(0, rest.find_first_of("/?#"));
  if (rest.starts_with('[')) return rest.substr(1, rest.find(']') - 1);
  return rest.substr(0, rest.find(':'));
}

}  // namespace

Status CheckWebhookUrl(const std::string& url) {
  constexpr std::string_view kHttps = "https://";
  constexpr std::string_view kHttp = "http://";
  if (url.find('@') != std::string::npos) {
    return Fail(ErrorCode::kUsage, "--event-webhook: a URL with a user name is not accepted");
  }
  if (url.starts_with(kHttps) && !HostOf(std::string_view(url).substr(kHttps.size())).empty()) {
    return {};
  }
  if (url.starts_with(kHttp) &&
      http::IsLoopbackAddress(HostOf(std::string_view(url).substr(kHttp.size())))) {
    return {};
  }
  return Fail(ErrorCode::kUsage, "--event-webhook: '" + url +
                                     "' is neither https:// nor http:// on a loopback address");
}

struct EventDelivery::Sender {
  std::string url;
  SecretBytes secret;
  std::unique_ptr<http::Client> client;

  http::ClientRequest Request(const store::NotificationRow& row) const {
    http::ClientRequest request;
    request.url = url;
    request.body = row.json;
    request.timeout = kAttemptTimeout;
    const auto mac = crypto::HmacSha256(secret.reveal(), AsBytes(row.json));
    request.headers = {{"content-type", "application/json"},
                       {"user-agent", "keyturn"},
                       {"x-keyturn-event-id", row.id},
                       {"x-keyturn-signature", "sha256=" + HexEncode(mac)}};
    return request;
  }

  // Send returns nothing, or what went wrong.
  std::string Send(const store::NotificationRow& row, const std::atomic<bool>& stopping) {
    std::string failure = "stopped";
    bool done = false;
    client->Submit(Request(row), [&](Result<http::ClientResponse> answer) {
      done = true;
      if (!answer) {
        failure = answer.error().message;
      } else if (answer->status < 200 || answer->status > 299) {
        failure = "status " + std::to_string(answer->status);
      } else {
        failure.clear();
      }
    });
    while (!done && !stopping) client->Pump(kPumpStep);
    if (!done) client->CancelAll();
    return failure;
  }
};

EventDelivery::EventDelivery(service::Service& service, Metrics& metrics, const Webhook& webhook)
    : service_(service), metrics_(metrics), sender_(std::make_unique<Sender>()) {
  sender_->url = webhook.url;
  sender_->secret = SecretBytes::CopyOf(webhook.secret.reveal());
  thread_ = std::thread([this] { Run(); });
}

EventDelivery::~EventDelivery() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

bool EventDelivery::Wait(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, time, [this] { return stopping_.load(); });
  return stopping_;
}

bool EventDelivery::DeliverSome() {
  const auto rows = service_.environment().store.ReadNotifications(kBatchMax);
  if (!rows) {
    LogError("events that wait cannot be read: {}", rows.error().message);
    return false;
  }
  std::vector<std::string> delivered;
  std::string failure;
  for (const store::NotificationRow& row : *rows) {
    failure = sender_->Send(row, stopping_);
    if (!failure.empty()) break;
    delivered.push_back(row.id);
  }
  if (!delivered.empty()) {
    const Status deleted = service_.writer().Run([&](service::Txn& txn) -> Status {
      for (const std::string& id : delivered) txn.DeleteNotification(id);
      return {};
    });
    if (!deleted) failure = "delivered events could not be deleted: " + deleted.error().message;
    metrics_.CountEvents(delivered.size());
  }
  if (!failure.empty() && !stopping_) {
    metrics_.CountEventFailure();
    LogWarning("an event could not be delivered and will be tried again: {}", failure);
  }
  return failure.empty();
}

void EventDelivery::Run() {
  http::ClientOptions options;
  options.response_bytes_max = 64 << 10;
  options.direct = sender_->url.starts_with("http://");
  auto client = http::Client::Create(options);
  if (!client) {
    LogError("events cannot be delivered: {}", client.error().message);
    return;
  }
  sender_->client = std::move(*client);
  std::chrono::milliseconds wait = kLookInterval;
  while (!Wait(wait)) {
    if (DeliverSome()) {
      wait = kLookInterval;
    } else {
      wait = std::clamp(wait * 2, kBackoffMin, kBackoffMax);
    }
  }
}

}  // namespace keyturn::server
