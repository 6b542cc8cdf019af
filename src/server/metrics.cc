#include "server/metrics.h"

#include <fmt/format.h>

#include <iterator>

namespace keyturn::server {
namespace {

void Help(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
  fmt::format_to(std::back_inserter(out), "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

void Plain(std::string& out, std::string_view name, std::string_view type, std::string_view help,
           std::uint64_t value) {
  Help(out, name, type, help);
  fmt::format_to(std::back_inserter(out), "{} {}\n", name, value);
}

}  // namespace

void Metrics::Count(api::Operation operation, int http_status) {
  Counters& counters = operations_[static_cast<std::size_t>(operation)];
  if (http_status < 400) {
    counters.ok.fetch_add(1, std::memory_order_relaxed);
  } else if (http_status < 500) {
    counters.client_errors.fetch_add(1, std::memory_order_relaxed);
  } else {
    counters.server_errors.fetch_add(1, std::memory_order_relaxed);
  }
}

void Metrics::CountTick(const service::TickResult& done) {
  rotated_ += done.rotated;
  destroyed_ += done.destroyed;
  expired_ += done.expired;
  tick_failures_ += done.failed;
}

void Metrics::Render(std::uint64_t keys, std::string& out) const {
  Help(out, "keyturn_requests_total", "counter", "Calls answered, by operation and outcome.");
  for (const api::OperationInfo& info : api::AllOperations()) {
    const Counters& counters = operations_[static_cast<std::size_t>(info.operation)];
    const std::pair<const char*, std::uint64_t> outcomes[] = {
        {"ok", counters.ok.load()},
        {"client_error", counters.client_errors.load()},
        {"server_error", counters.server_errors.load()}};
    for (const auto& [outcome, count] : outcomes) {
      if (count == 0) continue;
      fmt::format_to(std::back_inserter(out),
                     "keyturn_requests_total{{operation=\"{}\",outcome=\"{}\"}} {}\n", info.name,
                     outcome, count);
    }
  }
  Plain(out, "keyturn_unauthenticated_requests_total", "counter",
        "Requests refused before an operation was looked at.", unauthenticated_.load());
  Plain(out, "keyturn_trail_failures_total", "counter",
        "Batches of calls refused because the trail could not be written.", trail_failures_.load());
  Plain(out, "keyturn_rotations_total", "counter", "Automatic rotations completed.",
        rotated_.load());
  Plain(out, "keyturn_keys_destroyed_total", "counter",
        "Keys destroyed after their waiting period.", destroyed_.load());
  Plain(out, "keyturn_materials_expired_total", "counter",
        "Imported key materials deleted because they had expired.", expired_.load());
  Plain(out, "keyturn_clockwork_failures_total", "counter",
        "Rotations and deletions that were due and failed; they are tried again.",
        tick_failures_.load());
  Plain(out, "keyturn_events_delivered_total", "counter", "Events that the webhook has taken.",
        events_.load());
  Plain(out, "keyturn_event_failures_total", "counter",
        "Attempts to deliver an event that failed; they are repeated.", event_failures_.load());
  Plain(out, "keyturn_keys", "gauge", "Keys held.", keys);
}

}  // namespace keyturn::server
