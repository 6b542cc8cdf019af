// EventDelivery: takes events from the store to the operator's webhook, on a thread of its own, in
// their order, at least once: an event is deleted after the webhook has answered 2xx. No request
// waits for it.
//
// After a failure the same event is tried again, after 1 s at first, then up to 5 minutes.
//
// Thread-safety: the owner's thread makes and ends it.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "http/webhook.h"
#include "server/metrics.h"
#include "service/service.h"

namespace keyturn::server {

class EventDelivery {
 public:
  // service and metrics must outlive it.
  EventDelivery(service::Service& service, Metrics& metrics, http::Webhook webhook);
  // ~EventDelivery gives up the attempt under way; what is not delivered stays in the store.
  ~EventDelivery();

 private:
  void Run();
  // DeliverSome delivers what is there; false after a failure.
  bool DeliverSome();
  // Wait returns true when it is time to stop.
  bool Wait(std::chrono::milliseconds time);

  service::Service& service_;
  Metrics& metrics_;
  http::Webhook webhook_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace keyturn::server
