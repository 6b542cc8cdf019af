// Answers: what a Context said in one evaluation. Private to the room.
//
// Thread-safety: one thread.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "policy/cidr.h"
#include "policy/context.h"

namespace keyturn::policy {

// Answers: statements ask about the same few keys again and again; each of the first kKeptMax of a
// policy is asked for once, and so are those of several policies that do not have more. The context
// and the keys must outlive it.
class Answers {
 public:
  // context: null: it knows nothing.
  explicit Answers(const Context* context) : context_(context) {}
  Answers(const Answers&) = delete;
  Answers& operator=(const Answers&) = delete;

  // Of returns the values that the request has for key: kept ones, or in room.
  const Values& Of(const ConditionKey& key, Values& room);
  // MakeRoom, between two policies: nobody looks at values now.
  void MakeRoom();
  // AddressOf reads a value as an address; the last one is kept.
  const std::optional<Cidr>& AddressOf(std::string_view value);

 private:
  struct Kept {
    const ConditionKey* key = nullptr;
    Values values;
  };
  static constexpr std::size_t kKeptMax = 12;

  const Context* const context_;
  std::array<Kept, kKeptMax> kept_;
  std::size_t count_ = 0;
  std::string address_text_;
  std::optional<Cidr> address_;  // of address_text_
};

}  // namespace keyturn::policy
