// Metrics: counters of the server in the Prometheus text format.
// Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

#include "api/operation.h"
#include "service/service.h"

namespace keyturn::server {

class Metrics {
 public:
  // Count one finished call; http_status as answered.
  void Count(api::Operation operation, int http_status);
  void CountUnauthenticated() { ++unauthenticated_; }
  void CountTrailFailure() { ++trail_failures_; }
  void CountEvents(std::size_t delivered) { events_ += delivered; }
  void CountEventFailure() { ++event_failures_; }
  void CountTick(const service::TickResult& done);

  // Render appends the exposition; keys is the number of keys held.
  void Render(std::uint64_t keys, std::string& out) const;

 private:
  struct Counters {
    std::atomic<std::uint64_t> ok{0};
    std::atomic<std::uint64_t> client_errors{0};
    std::atomic<std::uint64_t> server_errors{0};
  };
  std::array<Counters, api::kOperationCount> operations_;
  std::atomic<std::uint64_t> unauthenticated_{0};
  std::atomic<std::uint64_t> trail_failures_{0};
  std::atomic<std::uint64_t> rotated_{0};
  std::atomic<std::uint64_t> destroyed_{0};
  std::atomic<std::uint64_t> expired_{0};
  std::atomic<std::uint64_t> tick_failures_{0};
  std::atomic<std::uint64_t> events_{0};
  std::atomic<std::uint64_t> event_failures_{0};
};

}  // namespace keyturn::server
