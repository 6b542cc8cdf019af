#include "control/key_reader.h"

#include <memory>
#include <utility>

#include "model/arn.h"

namespace keyturn::control {

KeyCondition KeyReading::condition() const {
  KeyCondition condition;
  condition.key_state = facts.key_state;
  condition.primary_region = facts.primary_region;
  if (facts.rotation) {
    condition.rotation = {facts.rotation->enabled, facts.rotation->period_days};
    condition.next_rotation_date = facts.rotation->next_rotation_date;
  }
  return condition;
}

void KeyReader::Read(client::KmsClient& client, const PlannedChange& change, OnKey done) {
  struct Both {
    KeyReading reading;
    OnKey done;
    int left = 2;
    void Arrived() {
      if (--left == 0) done(std::move(reading));
    }
  };
  auto both = std::make_shared<Both>();
  both->done = std::move(done);
  both->reading.facts.arn = change.arn;
  const auto arn = model::Arn::Parse(change.arn);
  const std::string_view resource = arn ? arn->resource : std::string_view{};
  both->reading.facts.key_id = resource.substr(resource.find('/') + 1);
  client.Call("DescribeKey", change.region, KeyIdBody(change.arn),
              [this, both](const client::CallResult& result) {
                KeyReading& reading = both->reading;
                if (!result) {
                  reading.failure = FailureOf("DescribeKey", result.error());
                } else if (const Status read = answers_.DescribeKey(result->body, reading.facts);
                           !read) {
                  reading.failure = FailureOf("DescribeKey", read.error());
                }
                both->Arrived();
              });
  client.Call("GetKeyRotationStatus", change.region, KeyIdBody(change.arn),
              [this, both](const client::CallResult& result) {
                KeyReading& reading = both->reading;
                if (!result) {
                  if (!reading.failure) {
                    reading.failure = FailureOf("GetKeyRotationStatus", result.error());
                  }
                } else if (auto rotation = answers_.GetKeyRotationStatus(result->body); !rotation) {
                  reading.failure = FailureOf("GetKeyRotationStatus", rotation.error());
                } else {
                  reading.facts.rotation = *rotation;
                }
                both->Arrived();
              });
}

void KeyReader::ReadSetting(client::KmsClient& client, const PlannedChange& change,
                            std::chrono::milliseconds delay, OnSetting done) {
  client.Call(
      "GetKeyRotationStatus", change.region, KeyIdBody(change.arn),
      [this, done = std::move(done)](const client::CallResult& result) {
        if (!result) {
          done(tl::unexpected(FailureOf("GetKeyRotationStatus", result.error())));
        } else if (auto rotation = answers_.GetKeyRotationStatus(result->body); !rotation) {
          done(tl::unexpected(FailureOf("GetKeyRotationStatus", rotation.error())));
        } else {
          done(RotationSetting{rotation->enabled, rotation->period_days});
        }
      },
      delay);
}

std::string FailureText(const CallFailure& failure) {
  return failure.operation + " failed with " + failure.error_code +
         (failure.message.empty() ? "" : ": " + failure.message);
}

}  // namespace keyturn::control
