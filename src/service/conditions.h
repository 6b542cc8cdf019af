// Conditions: what a call answers when a policy asks for a condition key.
//
// Asked is the request of any operation behind one function: its members are read only when a
// condition names one of them (service/request_conditions.h has the reading side).
//
// Thread-safety: as the call it belongs to.
// Source: KMS Developer Guide, "AWS KMS condition keys"; IAM User Guide, "AWS global condition
// context keys".
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "model/ids.h"
#include "policy/context.h"

namespace keyturn::api {
struct CreateGrantRequest;
}

namespace keyturn::service {

struct Call;
struct KeyEntry;

struct Asked {
  const void* request = nullptr;
  void (*find)(const void* request, std::string_view action, const policy::ConditionKey& key,
               policy::Values& out) = nullptr;
  // context: the encryption context that action is about; null where there is none.
  const std::map<std::string, std::string>* (*context)(const void* request,
                                                       std::string_view action) = nullptr;
  const api::CreateGrantRequest* create_grant = nullptr;  // request, if it is one
};

// CallConditions: the context of one authorisation. alias is the name by which the request named
// the key ("alias/..."), or empty.
//
// aws:RequestedRegion is where the action takes place: the Region of the key, which for a
// multi-Region key may be another than the call's; without a key the one that is given.
class CallConditions final : public policy::Context {
 public:
  CallConditions(const Call& call, std::string_view action, const KeyEntry& entry,
                 std::string_view alias);
  CallConditions(const Call& call, std::string_view action, model::Region region)
      : call_(call), action_(action), region_(region) {}
  void Find(const policy::ConditionKey& key, policy::Values& out) const override;

 private:
  bool FindOfCaller(const policy::ConditionKey& key, policy::Values& out) const;
  bool FindOfConnection(const policy::ConditionKey& key, policy::Values& out) const;
  void FindOfRecipient(std::string_view asked, policy::Values& out) const;
  void FindOfKey(const policy::ConditionKey& key, policy::Values& out) const;

  const Call& call_;
  std::string_view action_;
  model::Region region_;
  const KeyEntry* entry_ = nullptr;  // null without a key
  std::string_view alias_;
};

}  // namespace keyturn::service
