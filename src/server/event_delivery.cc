#include "server/event_delivery.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"

namespace keyturn::server {
namespace {

constexpr std::size_t kBatchMax = 100;
// How often the store is looked at; a commit does not wake the thread.
constexpr std::chrono::milliseconds kLookInterval{500};
constexpr std::chrono::milliseconds kBackoffMin{1000};
constexpr std::chrono::milliseconds kBackoffMax{300'000};

}  // namespace

EventDelivery::EventDelivery(service::Service& service, Metrics& metrics, http::Webhook webhook)
    : service_(service), metrics_(metrics), webhook_(std::move(webhook)) {
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
    if (const Status sent = webhook_.Send(row.id, row.json, stopping_); !sent) {
      failure = sent.error().message;
      break;
    }
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
