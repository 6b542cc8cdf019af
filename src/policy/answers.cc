#include "policy/answers.h"

namespace keyturn::policy {

const Values& Answers::Of(const ConditionKey& key, Values& room) {
  for (std::size_t i = 0; i < count_; ++i) {
    if (kept_[i].key->key == key.key && kept_[i].key->name == key.name) return kept_[i].values;
  }
  room.clear();
  const bool keeps = count_ < kKeptMax;
  Values& values = keeps ? kept_[count_].values : room;
  if (context_ != nullptr) context_->Find(key, values);
  if (keeps) kept_[count_++].key = &key;
  return values;
}

void Answers::MakeRoom() {
  if (count_ < kKeptMax) return;
  for (Kept& each : kept_) each.values.clear();
  count_ = 0;
}

const std::optional<Cidr>& Answers::AddressOf(std::string_view value) {
  if (value != address_text_) {
    address_text_ = value;
    address_ = Cidr::Parse(value);
  }
  return address_;
}

}  // namespace keyturn::policy
