// KeyReader: one key as it is now, for apply, verify and backout. Private to this room.
//
// Thread-safety: one thread; the reader must live until all its callbacks have run.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "client/kms_client.h"
#include "control/answers.h"
#include "control/change.h"
#include "control/run.h"

namespace keyturn::control {

struct KeyReading {
  KeyFacts facts;
  std::optional<CallFailure> failure;  // facts are not complete
  KeyCondition condition() const;
};

class KeyReader {
 public:
  using OnKey = std::function<void(KeyReading)>;
  using OnSetting = std::function<void(tl::expected<RotationSetting, CallFailure>)>;

  // Read calls DescribeKey and GetKeyRotationStatus side by side.
  void Read(client::KmsClient& client, const PlannedChange& change, OnKey done);
  // ReadSetting calls GetKeyRotationStatus only, not before delay has passed.
  void ReadSetting(client::KmsClient& client, const PlannedChange& change,
                   std::chrono::milliseconds delay, OnSetting done);

 private:
  Answers answers_;
};

// FailureText: "EnableKeyRotation failed with X: message".
std::string FailureText(const CallFailure& failure);

}  // namespace keyturn::control
