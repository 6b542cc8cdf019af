// KeyPages: what is told of a key in pages: its tags, and its rotations. Private to this room.
//
// Thread-safety: one thread; the pages, the facts and what Call needs must live until the last
// answer. What cannot be read is a failure in the facts.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "client/kms_client.h"
#include "control/answers.h"
#include "control/run.h"

namespace keyturn::control {

class KeyPages {
 public:
  // Call makes one call where the key is.
  using Done = std::function<void(const client::CallResult&)>;
  using Call = std::function<void(std::string_view operation, std::string body, Done done)>;

  explicit KeyPages(Answers& answers) : answers_(answers) {}

  // ReadRotations fills in the last rotation. A history that does not end is a failure.
  void ReadRotations(KeyFacts& facts, const Call& call) { ReadRotationPage(facts, call, {}, 1); }
  // ReadTags: a list that does not end is a failure, beside the tags that were told.
  void ReadTags(KeyFacts& facts, const Call& call) { ReadTagPage(facts, call, {}, 1); }

 private:
  void ReadRotationPage(KeyFacts& facts, const Call& call, std::string_view marker, int page);
  void ReadTagPage(KeyFacts& facts, const Call& call, std::string_view marker, int page);

  Answers& answers_;
};

}  // namespace keyturn::control
