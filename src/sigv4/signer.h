// Signing with a key that was derived before, for who signs many requests: deriving costs four
// HMACs.
//
// Thread-safety: a free function; Deriver belongs to one thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sigv4/sigv4.h"

namespace keyturn::sigv4 {

// SignWith is Sign with a key that SigningKey derived of the credentials for the UTC day of now,
// the region and the service.
SignedHeaders SignWith(const Request& request, const Credentials& credentials,
                       const crypto::HmacKey& key, std::string_view region,
                       std::string_view service, TimePoint now);

// DerivedKey keeps the key of one region and service as long as day and access key stay the same.
// An access key id has one secret for its whole life.
class DerivedKey {
 public:
  const crypto::HmacKey& Get(const Credentials& credentials, std::string_view region,
                             std::string_view service, TimePoint now);

 private:
  std::optional<crypto::HmacKey> key_;
  std::string access_key_id_;
  std::string date_;
};

}  // namespace keyturn::sigv4
