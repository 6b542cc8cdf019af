// Facts of keys of each kind, and their judgement, for the tests of evaluate.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/evaluate.h"

namespace keyturn::control {

inline constexpr std::string_view kNow = "2026-11-24T12:00:00Z";

inline TimePoint Now() { return *ParseIso8601(kNow); }

// GoodKey: enabled, symmetric, customer managed, rotating yearly.
inline KeyFacts GoodKey(const std::string& id = "1") {
  KeyFacts facts;
  facts.region = "eu-central-1";
  facts.account = "111122223333";
  facts.key_id = id;
  facts.arn = "arn:aws:kms:eu-central-1:111122223333:key/" + id;
  facts.key_manager = "CUSTOMER";
  facts.key_spec = "SYMMETRIC_DEFAULT";
  facts.origin = "AWS_KMS";
  facts.key_state = "Enabled";
  facts.rotation = RotationFacts{true, 365, std::nullopt, std::nullopt};
  return facts;
}

inline KeyFacts OffKey(const std::string& id = "1") {
  KeyFacts facts = GoodKey(id);
  facts.rotation = RotationFacts{};
  return facts;
}

inline KeyFacts Primary(const std::string& id = "mrk-1") {
  KeyFacts facts = GoodKey(id);
  facts.multi_region = true;
  facts.multi_region_type = "PRIMARY";
  facts.primary_arn = facts.arn;
  facts.primary_region = facts.region;
  return facts;
}

inline KeyFacts ReplicaOf(const KeyFacts& primary) {
  KeyFacts facts = primary;
  facts.region = "us-east-1";
  facts.arn = "arn:aws:kms:us-east-1:111122223333:key/" + primary.key_id;
  facts.multi_region_type = "REPLICA";
  return facts;
}

inline CallFailure Failure(const char* operation, const char* code) {
  return {operation, code, "because", "req"};
}

inline std::vector<KeyResult> JudgedAll(std::vector<KeyFacts> facts,
                                        const ExceptionList& exceptions = {},
                                        std::vector<ExceptionNote>* notes = nullptr,
                                        const EvaluationPolicy& policy = {}) {
  std::vector<KeyResult> keys;
  for (KeyFacts& each : facts) keys.push_back({std::move(each), {}});
  auto said = JudgeAll(keys, policy, exceptions, Now());
  if (notes != nullptr) *notes = std::move(said);
  return keys;
}

inline Exception Excepting(const std::string& id, const std::string& arn,
                           const std::string& expires) {
  Exception entry;
  entry.id = id;
  entry.match.arn = arn;
  entry.expires = expires;
  entry.valid_until = *ParseIso8601(expires) + Days{1};
  entry.reason = "vendor";
  return entry;
}

}  // namespace keyturn::control
