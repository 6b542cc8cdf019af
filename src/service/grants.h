// Grants: the permissions of a key that stand beside its policy. GrantTable holds them in memory;
// the rest is how they match callers, what their tokens are and how they are retired.
//
// A grant counts as soon as it is stored, with its token and without. A token names its grant, is
// sealed, differs from call to call and stands for nothing but the grant: it opens no other way in.
//
// Source: KMS Developer Guide, "Grants in AWS KMS"; recorded answers for session and cross-account
// grants.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "base/error.h"
#include "model/enums.h"
#include "policy/policy.h"
#include "store/store.h"

namespace keyturn::service {

struct Call;
struct Caller;
struct KeyEntry;

using GrantPtr = std::shared_ptr<const store::GrantRow>;

// GrantName: ordered, so that a key's grants are together and listings are in order of id.
struct GrantName {
  std::string region;
  model::KeyId key;
  std::string id;
  auto operator<=>(const GrantName&) const = default;
  static GrantName Of(const store::GrantRow& row) {
    return {std::string(row.region.name()), row.key, row.id};
  }
};

// GrantTable: not thread-safe; Tables locks.
class GrantTable {
 public:
  void Put(const GrantPtr& grant);
  void Remove(const GrantName& name);
  void RemoveKey(model::Region region, const model::KeyId& key);

  GrantPtr Find(const GrantName& name) const;
  // OfGrantee: a key's grants for exactly this grantee.
  std::vector<GrantPtr> OfGrantee(model::Region region, const model::KeyId& key,
                                  std::string_view grantee) const;
  // OfKey: up to limit grants behind the id after (empty: from the start).
  std::vector<GrantPtr> OfKey(model::Region region, const model::KeyId& key,
                              const std::string& after, std::size_t limit) const;
  // OfRetirer: up to limit grants in region that principal may retire, behind key id and grant id.
  std::vector<GrantPtr> OfRetirer(const std::string& principal, model::Region region,
                                  const std::string& after, std::size_t limit) const;
  std::size_t CountOfKey(model::Region region, const model::KeyId& key) const;
  bool HasAny(model::Region region, const model::KeyId& key) const;

 private:
  using KeyPart = std::pair<std::string, model::KeyId>;  // region, key
  // GranteeOrder: by region, key and grantee, which are looked up without a copy.
  struct GranteeOrder {
    using View = std::tuple<std::string_view, const model::KeyId&, std::string_view>;
    using is_transparent = void;
    bool operator()(const View& one, const View& other) const { return one < other; }
  };
  std::map<KeyPart, std::map<std::string, GrantPtr>> by_key_;
  std::map<std::tuple<std::string, model::KeyId, std::string>, std::map<std::string, GrantPtr>,
           GranteeOrder>
      by_grantee_;
  // principal and region, then key id and grant id
  std::map<std::pair<std::string, std::string>, std::map<std::string, GrantPtr>> by_retirer_;
};

// GrantSidesOf: what the grants of entry give the caller for action (and the encryption context of
// the request), one for each grant that allows it.
std::vector<policy::GrantSide> GrantSidesOf(const Call& call, std::string_view action,
                                            const KeyEntry& entry);

// MakeGrantToken, OpenGrantToken: InvalidGrantTokenException for a token that is not ours or whose
// grant is gone.
std::string MakeGrantToken(const Call& call, const store::GrantRow& grant);
Result<GrantPtr> OpenGrantToken(const Call& call, const std::string& token);
// CheckGrantTokens opens each.
Status CheckGrantTokens(const Call& call, const std::optional<std::vector<std::string>>& tokens);

// CheckPrincipal: InvalidArnException unless arn names a principal that exists: a user, a role, a
// session of a role that exists, an account's root.
Status CheckGrantPrincipal(const Call& call, const std::string& arn);

}  // namespace keyturn::service
