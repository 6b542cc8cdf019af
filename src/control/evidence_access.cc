#include "control/evidence.h"

namespace keyturn::control {

void RecordingAccess::Begin(const Target& target, Opened opened) {
  const std::size_t number = recorder_.AddTarget(target);
  inner_.Begin(target, [this, number, target,
                        opened = std::move(opened)](const tl::expected<Open, Closed>& result) {
    if (!result) {
      recorder_.AddRefused(number, result.error());
    } else {
      recorder_.AddOpened(number, *result);
      result->client->Observe(recorder_.ObserverOf(number));
    }
    opened(result);
  });
}

void RecordingAccess::Close(client::KmsClient* client) {
  client->Observe({});
  inner_.Close(client);
}

std::size_t RecordingAccess::Pump(std::chrono::milliseconds max_wait) {
  if (recorder_.failed()) inner_.CancelAll();
  return inner_.Pump(max_wait);
}

}  // namespace keyturn::control
