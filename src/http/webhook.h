// Webhook: posts an operator's events to a URL of theirs, signed: one POST of JSON with
// X-Keyturn-Event-Id and X-Keyturn-Signature: sha256=<hex HMAC-SHA-256 of the body under the
// secret> (docs/events.md). A 2xx says that it was taken; who sends keeps the event until then.
//
// Thread-safety: one thread.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/secret.h"
#include "http/client.h"

namespace keyturn::http {

struct WebhookTarget {
  std::string url;  // https, or http on a loopback address
  SecretBytes secret;
};

// CheckWebhookUrl: kUsage for a URL that no webhook may have.
Status CheckWebhookUrl(const std::string& url);

class Webhook {
 public:
  // Open: the target's URL has been checked. A loopback address is never asked through a proxy.
  static Result<Webhook> Open(const WebhookTarget& target);

  // Send waits for the answer, at most 10 s, or until stopping is set: an error then, and for any
  // answer but 2xx.
  Status Send(const std::string& event_id, const std::string& body,
              const std::atomic<bool>& stopping);

 private:
  Webhook(std::string url, SecretBytes secret, std::unique_ptr<Client> client);

  std::string url_;
  SecretBytes secret_;
  std::unique_ptr<Client> client_;
};

}  // namespace keyturn::http
