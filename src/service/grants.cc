#include "service/grants.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/operations.h"
#include "base/base64.h"
#include "model/arn.h"
#include "service/call.h"

namespace keyturn::service {
namespace {

using Pairs = std::map<std::string, std::string>;

constexpr std::string_view kActionPrefix = "kms:";

std::pair<std::string, std::string> RetirerOf(std::string_view principal, model::Region region) {
  return {std::string(model::WithoutPartition(principal)), std::string(region.name())};
}

std::string RetirerKey(const store::GrantRow& row) {
  return std::string(row.key.text()) + " " + row.id;
}

// AskedContext: the encryption context of a request, as grants are compared with it.
class AskedContext {
 public:
  AskedContext(const Call& call, std::string_view action)
      : pairs_(call.asked.context != nullptr ? call.asked.context(call.asked.request, action)
                                             : nullptr) {}

  std::size_t size() const { return pairs_ != nullptr ? pairs_->size() : 0; }
  // Has compares names without regard to case; it finds none of several that differ in case only.
  bool Has(const store::Tag& wanted) {
    if (in_order_.size() != size()) Order();
    const auto [first, last] =
        std::equal_range(in_order_.begin(), in_order_.end(), wanted.key, NameLess{});
    return last - first == 1 && (*first)->second == wanted.value;
  }

 private:
  struct NameLess {
    static std::string_view Name(const Pairs::value_type* pair) { return pair->first; }
    static std::string_view Name(std::string_view name) { return name; }
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return policy::LessFolded(Name(a), Name(b));
    }
  };
  void Order() {
    in_order_.reserve(size());
    for (const Pairs::value_type& pair : *pairs_) in_order_.push_back(&pair);
    std::sort(in_order_.begin(), in_order_.end(), NameLess{});
  }

  const Pairs* const pairs_;
  std::vector<const Pairs::value_type*> in_order_;  // filled when it is asked first
};

bool ConstraintsHold(const Call& call, std::string_view action, const store::GrantRow& grant,
                     AskedContext& context) {
  if (!grant.context_equals && !grant.context_subset) return true;
  if (action == "kms:DescribeKey") return true;
  if (call.asked.request == nullptr) return false;
  if (grant.context_equals && grant.context_equals->size() != context.size()) return false;
  for (const auto* pairs : {&grant.context_equals, &grant.context_subset}) {
    if (*pairs && !std::all_of((*pairs)->begin(), (*pairs)->end(),
                               [&](const store::Tag& pair) { return context.Has(pair); })) {
      return false;
    }
  }
  return true;
}

bool Contains(const Pairs& pairs, const store::Tag& wanted) {
  return std::any_of(pairs.begin(), pairs.end(), [&](const auto& pair) {
    return policy::EqualsFolded(pair.first, wanted.key) && pair.second == wanted.value;
  });
}

bool ContainsAll(const std::optional<Pairs>& pairs, const std::vector<store::Tag>& wanted) {
  return pairs && std::all_of(wanted.begin(), wanted.end(),
                              [&](const store::Tag& each) { return Contains(*pairs, each); });
}

// ParentCovers: a grant may be made through another one that has all its operations and is no
// stricter.
bool ParentCovers(const store::GrantRow& parent, const api::CreateGrantRequest& child) {
  for (const model::GrantOperation operation : child.operations) {
    if (std::find(parent.operations.begin(), parent.operations.end(), operation) ==
        parent.operations.end()) {
      return false;
    }
  }
  const auto constraints = child.constraints.value_or(api::GrantConstraints{});
  if (parent.context_equals) {
    const auto& equals = constraints.encryption_context_equals;
    if (!ContainsAll(equals, *parent.context_equals) ||
        equals->size() != parent.context_equals->size()) {
      return false;
    }
  }
  return !parent.context_subset ||
         ContainsAll(constraints.encryption_context_equals, *parent.context_subset) ||
         ContainsAll(constraints.encryption_context_subset, *parent.context_subset);
}

bool Allows(const Call& call, std::string_view action, model::GrantOperation operation,
            const store::GrantRow& grant, AskedContext& context) {
  if (std::find(grant.operations.begin(), grant.operations.end(), operation) ==
      grant.operations.end()) {
    return false;
  }
  if (operation == model::GrantOperation::kCreateGrant) {
    return call.asked.create_grant != nullptr && ParentCovers(grant, *call.asked.create_grant);
  }
  return ConstraintsHold(call, action, grant, context);
}

}  // namespace

void GrantTable::Put(const GrantPtr& grant) {
  KeyGrants& of_key = by_key_[{grant->region, grant->key}];
  of_key.by_id[grant->id] = grant;
  of_key.by_grantee[std::string(model::WithoutPartition(grant->grantee))][grant->id] = grant;
  if (!grant->retiring_principal.empty()) {
    by_retirer_[RetirerOf(grant->retiring_principal, grant->region)][RetirerKey(*grant)] = grant;
  }
}

void GrantTable::Remove(const GrantName& name) {
  const GrantPtr grant = Find(name);
  if (!grant) return;
  const auto take = [](auto& map, const auto& key, const std::string& id) {
    const auto found = map.find(key);
    if (found == map.end()) return;
    found->second.erase(id);
    if (found->second.empty()) map.erase(found);
  };
  const auto of_key = by_key_.find(name.key);
  take(of_key->second.by_grantee, model::WithoutPartition(grant->grantee), name.id);
  of_key->second.by_id.erase(name.id);
  if (of_key->second.by_id.empty()) by_key_.erase(of_key);
  take(by_retirer_, RetirerOf(grant->retiring_principal, name.key.region), RetirerKey(*grant));
}

void GrantTable::RemoveKey(const KeyName& key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return;
  const ById grants = found->second.by_id;
  for (const auto& [id, grant] : grants) Remove(GrantName::Of(*grant));
}

GrantPtr GrantTable::Find(const GrantName& name) const {
  const auto of_key = by_key_.find(name.key);
  if (of_key == by_key_.end()) return nullptr;
  const auto found = of_key->second.by_id.find(name.id);
  return found == of_key->second.by_id.end() ? nullptr : found->second;
}

std::vector<GrantPtr> GrantTable::OfGrantee(const KeyName& key, std::string_view grantee) const {
  std::vector<GrantPtr> grants;
  const auto of_key = by_key_.find(key);
  if (of_key == by_key_.end()) return grants;
  const auto found = of_key->second.by_grantee.find(model::WithoutPartition(grantee));
  if (found == of_key->second.by_grantee.end()) return grants;
  grants.reserve(found->second.size());
  for (const auto& [id, grant] : found->second) grants.push_back(grant);
  return grants;
}

std::vector<GrantPtr> GrantTable::OfKey(const KeyName& key, const std::string& after,
                                        std::size_t limit) const {
  std::vector<GrantPtr> grants;
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return grants;
  const ById& by_id = found->second.by_id;
  for (auto at = by_id.upper_bound(after); at != by_id.end() && grants.size() < limit; ++at) {
    grants.push_back(at->second);
  }
  return grants;
}

std::vector<GrantPtr> GrantTable::OfRetirer(const std::string& principal, model::Region region,
                                            const std::string& after, std::size_t limit) const {
  std::vector<GrantPtr> grants;
  const auto found = by_retirer_.find(RetirerOf(principal, region));
  if (found == by_retirer_.end()) return grants;
  for (auto at = found->second.upper_bound(after);
       at != found->second.end() && grants.size() < limit; ++at) {
    grants.push_back(at->second);
  }
  return grants;
}

std::size_t GrantTable::CountOfKey(const KeyName& key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? 0 : found->second.by_id.size();
}

void VisitGrants(const Call& call, std::string_view action, const KeyEntry& entry,
                 const std::function<bool(const policy::GrantSide&)>& visit) {
  if (!action.starts_with(kActionPrefix) || !call.view.HasGrants(entry.key.region, entry.key.id)) {
    return;
  }
  const auto operation =
      model::FromWire<model::GrantOperation>(action.substr(kActionPrefix.size()));
  if (!operation) return;
  const bool foreign = call.account() != entry.key.account;
  AskedContext context(call, action);
  call.caller.VisitGranteeNames([&](std::string_view grantee, policy::Effect effect) {
    const auto grants = call.view.GrantsOf(entry.key.region, entry.key.id, grantee);
    return std::all_of(grants.begin(), grants.end(), [&](const GrantPtr& grant) {
      return !Allows(call, action, *operation, *grant, context) ||
             visit({effect, foreign && grant->issuing_account == call.account()});
    });
  });
}

std::string MakeGrantToken(const Call& call, const store::GrantRow& grant) {
  const std::string name = fmt::format("{} {} {}", grant.region.name(), grant.key.text(), grant.id);
  return Base64Encode(
      call.environment.keyring.SealToken("grant", AsBytes(name), call.environment.random));
}

Result<GrantPtr> OpenGrantToken(const Call& call, const std::string& token) {
  const auto sealed = Base64Decode(token);
  const auto opened = sealed ? call.environment.keyring.OpenToken("grant", *sealed)
                             : Result<SecretBytes>(Fail(ErrorCode::kMalformed));
  if (!opened) return Fail(ErrorCode::kInvalidGrantTokenException);
  const std::string_view text = AsText(opened->reveal());
  const std::size_t first = text.find(' ');
  const std::size_t second = text.find(' ', first + 1);
  const auto region = model::Region::Find(text.substr(0, first));
  const auto key = model::KeyId::Parse(text.substr(first + 1, second - first - 1));
  GrantPtr grant = region && key && *region == call.region
                       ? call.view.FindGrant(*region, *key, std::string(text.substr(second + 1)))
                       : nullptr;
  if (!grant) return Fail(ErrorCode::kInvalidGrantTokenException);
  return grant;
}

Status CheckGrantTokens(const Call& call, const std::optional<std::vector<std::string>>& tokens) {
  if (!tokens) return {};
  for (const std::string& token : *tokens) KT_TRY(OpenGrantToken(call, token));
  return {};
}

Status CheckGrantPrincipal(const Call& call, const std::string& text) {
  if (!policy::IsPrincipalArn(text)) {
    return Fail(ErrorCode::kInvalidArnException, fmt::format("ARN is not valid: {}", text));
  }
  const auto arn = model::Arn::Parse(text);
  if (!PrincipalExists(call.view, *model::AccountId::Parse(arn->account), *arn)) {
    return Fail(ErrorCode::kInvalidArnException,
                fmt::format("ARN does not refer to a valid principal: {}", text));
  }
  return {};
}

}  // namespace keyturn::service
