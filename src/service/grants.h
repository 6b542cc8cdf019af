// Grants: the permissions of a key that stand beside its policy. GrantTable holds them in memory;
// the rest is how they match callers, what their tokens are and how they are retired.
//
// A grant counts as soon as it is stored, with its token and without. A token names its grant, is
// sealed, differs from call to call and stands for nothing but the grant: it opens no other way in.
//
// Source: KMS Developer Guide, "Grants in AWS KMS"; recorded answers for session and cross-account
// grants.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "model/enums.h"
#include "policy/policy.h"
#include "service/key_name.h"
#include "store/store.h"

namespace keyturn::service {

struct Call;
struct Caller;
struct KeyEntry;

using GrantPtr = std::shared_ptr<const store::GrantRow>;

struct GrantName {
  KeyName key;
  std::string id;
  bool operator==(const GrantName&) const = default;
  static GrantName Of(const store::GrantRow& row) { return {{row.region, row.key}, row.id}; }
};
// GrantNameLess: a key's grants are together; some order, the same for the life of the process.
struct GrantNameLess {
  bool operator()(const GrantName& a, const GrantName& b) const noexcept {
    return a.key == b.key ? a.id < b.id : KeyNameLess()(a.key, b.key);
  }
};

// GrantTable: not thread-safe; Tables locks.
class GrantTable {
 public:
  void Put(const GrantPtr& grant);
  void Remove(const GrantName& name);
  void RemoveKey(const KeyName& key);

  GrantPtr Find(const GrantName& name) const;
  // OfGrantee: a key's grants for exactly this grantee, whatever the partition of its ARN.
  std::vector<GrantPtr> OfGrantee(const KeyName& key, std::string_view grantee) const;
  // OfKey: up to limit grants behind the id after (empty: from the start).
  std::vector<GrantPtr> OfKey(const KeyName& key, const std::string& after,
                              std::size_t limit) const;
  // OfRetirer: up to limit grants in region that principal may retire (its partition does not count
  // either), behind key id and grant id.
  std::vector<GrantPtr> OfRetirer(const std::string& principal, model::Region region,
                                  const std::string& after, std::size_t limit) const;
  std::size_t CountOfKey(const KeyName& key) const;
  bool HasAny(const KeyName& key) const { return by_key_.contains(key); }

 private:
  using ById = std::map<std::string, GrantPtr>;
  struct KeyGrants {
    ById by_id;
    std::map<std::string, ById, std::less<>> by_grantee;  // model::WithoutPartition
  };
  std::unordered_map<KeyName, KeyGrants, KeyNameHash> by_key_;  // of keys that have any
  // principal (model::WithoutPartition) and region, then key id and grant id
  std::map<std::pair<std::string, std::string>, ById> by_retirer_;
};

// VisitGrants shows visit what each grant of entry gives the caller that allows action (under the
// encryption context of the request), until it returns false.
void VisitGrants(const Call& call, std::string_view action, const KeyEntry& entry,
                 const std::function<bool(const policy::GrantSide&)>& visit);

// MakeGrantToken, OpenGrantToken: InvalidGrantTokenException for a token that is not ours or whose
// grant is gone.
std::string MakeGrantToken(const Call& call, const store::GrantRow& grant);
Result<GrantPtr> OpenGrantToken(const Call& call, const std::string& token);
// CheckGrantTokens opens each.
Status CheckGrantTokens(const Call& call, const std::optional<std::vector<std::string>>& tokens);

// CheckGrantPrincipal: InvalidArnException unless arn names a principal that exists: a user, a
// role, a session of a role that exists, an account's root.
Status CheckGrantPrincipal(const Call& call, const std::string& arn);

}  // namespace keyturn::service
