#include "cli/policy_inputs.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/arn.h"
#include "service/files.h"
#include "service/principals.h"
#include "store/store.h"

namespace keyturn::cli {
namespace {

Result<NamedCompiled> FromFile(const std::string& file, policy::Kind kind, std::string name) {
  KT_ASSIGN(const SecretBytes text, service::ReadSmallFile(file));
  auto compiled = policy::Compile(AsText(text.reveal()), kind);
  if (!compiled) {
    return Fail(ErrorCode::kUsage, fmt::format("{}: {}", file, compiled.error().message));
  }
  return NamedCompiled{std::move(name) + " " + file, std::move(*compiled)};
}

Result<PolicyInputs> Start(const Question& question) {
  PolicyInputs inputs;
  const auto arn = model::Arn::Parse(question.principal);
  const auto account = arn ? model::AccountId::Parse(arn->account) : std::nullopt;
  if (!account || (arn->service != "iam" && arn->service != "sts")) {
    return Fail(ErrorCode::kUsage, "'" + question.principal +
                                       "' is no ARN of a user, a role, a session or a root user");
  }
  inputs.principal_account = *account;
  inputs.principal_arn = question.principal;
  inputs.is_root = arn->resource == "root";
  constexpr std::string_view kRole = "role/";
  if (arn->resource.starts_with(kRole)) {
    const std::string name(arn->resource.substr(arn->resource.rfind('/') + 1));
    inputs.principal_arn =
        fmt::format("arn:{}:sts::{}:assumed-role/{}/explain", arn->partition, arn->account, name);
  }
  for (const std::string& each : question.context) {
    const std::size_t equals = each.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Fail(ErrorCode::kUsage, "'" + each + "' is not KEY=VALUE");
    }
    inputs.context.Add(each.substr(0, equals), each.substr(equals + 1));
  }
  return inputs;
}

// Default adds what follows from the question, unless the asker said otherwise.
void Default(FixedContext& context, std::string_view name, std::string value) {
  if (!context.Has(name)) context.Add(name, std::move(value));
}

Status GatherFiles(const Question& question, PolicyInputs& inputs) {
  inputs.resource = question.resource;
  inputs.key_account = inputs.principal_account;
  if (!question.key_account.empty()) {
    const auto owner = model::AccountId::Parse(question.key_account);
    if (!owner) return Fail(ErrorCode::kUsage, "--key-account must be 12 digits");
    inputs.key_account = *owner;
  }
  if (!question.key_policy.empty()) {
    KT_ASSIGN(const NamedCompiled key,
              FromFile(question.key_policy, policy::Kind::kKeyPolicy, "key policy"));
    inputs.key_policy = key.policy;
  }
  for (const std::string& file : question.identity_policies) {
    KT_ASSIGN(NamedCompiled one, FromFile(file, policy::Kind::kIdentityPolicy, "identity policy"));
    inputs.identity.push_back(std::move(one));
  }
  return {};
}

// Rows: the parts of a data directory that decide about access.
struct Rows {
  std::vector<store::UserRow> users;
  std::vector<store::GroupRow> groups;
  std::vector<store::RoleRow> roles;
  std::vector<store::KeyRow> keys;
  std::vector<store::AliasRow> aliases;
  std::vector<store::GrantRow> grants;
};

Result<Rows> LoadRows(const std::string& directory) {
  KT_ASSIGN(const auto store, store::OpenSqlite(directory, {}));
  Rows rows;
  store::Visitors visitors;
  visitors.user = [&](store::UserRow row) { rows.users.push_back(std::move(row)); };
  visitors.group = [&](store::GroupRow row) { rows.groups.push_back(std::move(row)); };
  visitors.role = [&](store::RoleRow row) { rows.roles.push_back(std::move(row)); };
  visitors.key = [&](store::KeyRow row) { rows.keys.push_back(std::move(row)); };
  visitors.alias = [&](store::AliasRow row) { rows.aliases.push_back(std::move(row)); };
  visitors.grant = [&](store::GrantRow row) { rows.grants.push_back(std::move(row)); };
  KT_TRY(store->Load(visitors));
  return rows;
}

template <typename Row>
const Row* Named(const std::vector<Row>& rows, const model::AccountId& account,
                 std::string_view name) {
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const Row& row) {
    return row.account == account && row.name == name;
  });
  return found == rows.end() ? nullptr : &*found;
}

void AddPolicies(const std::string& owner, const std::vector<store::NamedPolicy>& rows,
                 const std::vector<policy::PolicyPtr>& compiled, PolicyInputs& inputs) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    inputs.identity.push_back({fmt::format("{}, policy {}", owner, rows[i].name), compiled[i]});
  }
}

Status AddUser(const Rows& rows, std::string_view name, PolicyInputs& inputs) {
  const store::UserRow* const row = Named(rows.users, inputs.principal_account, name);
  if (row == nullptr) return Fail(ErrorCode::kNotFound, fmt::format("there is no user {}", name));
  KT_ASSIGN(const service::UserPtr user, service::MakeUser(*row));
  AddPolicies(fmt::format("user {}", name), row->policies, user->policies, inputs);
  for (const std::string& group_name : row->groups) {
    const store::GroupRow* const group_row = Named(rows.groups, row->account, group_name);
    if (group_row == nullptr) continue;
    KT_ASSIGN(const service::GroupPtr group, service::MakeGroup(*group_row));
    AddPolicies("group " + group_name, group_row->policies, group->policies, inputs);
  }
  inputs.boundary = {"permissions boundary", user->boundary};
  Default(inputs.context, "aws:PrincipalArn", user->arn);
  Default(inputs.context, "aws:username", row->name);
  Default(inputs.context, "aws:userid", row->user_id);
  for (const store::Tag& tag : row->tags) {
    Default(inputs.context, "aws:PrincipalTag/" + tag.key, tag.value);
  }
  return {};
}

Status AddRole(const Rows& rows, std::string_view name, PolicyInputs& inputs) {
  const store::RoleRow* const row = Named(rows.roles, inputs.principal_account, name);
  if (row == nullptr) return Fail(ErrorCode::kNotFound, fmt::format("there is no role {}", name));
  KT_ASSIGN(const service::RolePtr role, service::MakeRole(*row));
  AddPolicies(fmt::format("role {}", name), row->policies, role->policies, inputs);
  inputs.boundary = {"permissions boundary", role->boundary};
  Default(inputs.context, "aws:PrincipalArn", role->arn);
  for (const store::Tag& tag : row->tags) {
    Default(inputs.context, "aws:PrincipalTag/" + tag.key, tag.value);
  }
  return {};
}

const store::KeyRow* FindKey(const Rows& rows, const Question& question,
                             const model::AccountId& own) {
  std::string_view name = question.resource;
  std::string_view region = question.region;
  std::string_view account = own.text();
  if (const auto arn = model::Arn::Parse(name)) {
    region = arn->region;
    account = arn->account;
    name = arn->resource.starts_with("key/") ? arn->resource.substr(4) : arn->resource;
  }
  const auto alias = std::find_if(rows.aliases.begin(), rows.aliases.end(), [&](const auto& row) {
    return row.name == name && row.region.name() == region && row.account.text() == account;
  });
  const std::string_view id = alias == rows.aliases.end() ? name : alias->target.text();
  const auto found = std::find_if(rows.keys.begin(), rows.keys.end(), [&](const auto& row) {
    return row.key.id.text() == id && row.key.account.text() == account &&
           (region.empty() || row.key.region.name() == region);
  });
  return found == rows.keys.end() ? nullptr : &*found;
}

Status AddKey(const Rows& rows, const Question& question, PolicyInputs& inputs) {
  inputs.resource = question.resource;
  if (question.resource == "*") return {};
  const store::KeyRow* const row = FindKey(rows, question, inputs.principal_account);
  if (row == nullptr) {
    return Fail(ErrorCode::kNotFound, "there is no key '" + question.resource +
                                          "'; name an ARN, or --region with an id or alias");
  }
  const keys::Key& key = row->key;
  inputs.resource = key.arn();
  inputs.key_account = key.account;
  KT_ASSIGN(inputs.key_policy, policy::CompileStored(*row->policy_text));
  FixedContext& context = inputs.context;
  Default(context, "kms:KeySpec", std::string(model::ToWire(key.spec)));
  Default(context, "kms:KeyUsage", std::string(model::ToWire(key.usage)));
  Default(context, "kms:KeyOrigin", std::string(model::ToWire(key.origin)));
  Default(context, "kms:MultiRegion", key.multi_region ? "true" : "false");
  Default(context, "aws:ResourceAccount", std::string(key.account.text()));
  Default(context, "aws:RequestedRegion", std::string(key.region.name()));
  for (const store::Tag& tag : row->tags) {
    Default(context, "aws:ResourceTag/" + tag.key, tag.value);
  }
  if (!context.Has("kms:ResourceAliases")) {
    for (const store::AliasRow& alias : rows.aliases) {
      if (alias.target == key.id && alias.region == key.region && alias.account == key.account) {
        context.Add("kms:ResourceAliases", alias.name);
      }
    }
  }
  return {};
}

bool HasPairs(const FixedContext& context, const std::vector<store::Tag>& pairs) {
  return std::all_of(pairs.begin(), pairs.end(), [&](const store::Tag& pair) {
    policy::Values values;
    context.Find(policy::ConditionKey::Parse("kms:EncryptionContext:" + pair.key), values);
    return values == policy::Values{pair.value};
  });
}

GrantLine ToLine(const store::GrantRow& grant, const PolicyInputs& inputs, policy::Effect effect,
                 std::string_view action) {
  GrantLine line{grant.id, {}, "applies"};
  const auto has = [&](model::GrantOperation operation) {
    return action == fmt::format("kms:{}", model::ToWire(operation));
  };
  const std::size_t pairs = inputs.context.CountUnder("kms:encryptioncontext:");
  const bool ignores = action == "kms:DescribeKey";
  if (std::none_of(grant.operations.begin(), grant.operations.end(), has)) {
    line.detail = "is for other operations";
  } else if (!ignores && grant.context_equals &&
             (pairs != grant.context_equals->size() ||
              !HasPairs(inputs.context, *grant.context_equals))) {
    line.detail = "the constraint EncryptionContextEquals does not hold";
  } else if (!ignores && grant.context_subset && !HasPairs(inputs.context, *grant.context_subset)) {
    line.detail = "the constraint EncryptionContextSubset does not hold";
  } else {
    line.side.effect = effect;
    line.side.supplies_identity = inputs.key_account != inputs.principal_account &&
                                  grant.issuing_account == inputs.principal_account;
  }
  return line;
}

void AddGrants(const Rows& rows, const Question& question, PolicyInputs& inputs) {
  policy::Values role;
  inputs.context.Find(policy::ConditionKey::Parse("aws:PrincipalArn"), role);
  const std::string root = model::RootArn("aws", inputs.principal_account);
  for (const store::GrantRow& grant : rows.grants) {
    if (model::KeyArn(grant.region, grant.account, grant.key) != inputs.resource) continue;
    policy::Effect effect = policy::Effect::kNone;
    const auto names = [grantee = model::WithoutPartition(grant.grantee)](std::string_view arn) {
      return grantee == model::WithoutPartition(arn);
    };
    if (names(inputs.principal_arn)) {
      effect = policy::Effect::kAllowDirect;
    } else if (role.size() == 1 && names(role.front())) {
      effect = policy::Effect::kAllowRole;
    } else if (names(root)) {
      effect = policy::Effect::kAllowAccount;
    }
    if (effect == policy::Effect::kNone) continue;
    inputs.grants.push_back(ToLine(grant, inputs, effect, question.action));
  }
}

Status GatherDirectory(const Question& question, PolicyInputs& inputs) {
  KT_ASSIGN(const Rows rows, LoadRows(question.data_dir));
  const auto arn = model::Arn::Parse(inputs.principal_arn);
  constexpr std::string_view kUser = "user/";
  constexpr std::string_view kSession = "assumed-role/";
  if (arn->resource.starts_with(kUser)) {
    KT_TRY(AddUser(rows, arn->resource.substr(kUser.size()), inputs));
  } else if (arn->resource.starts_with(kSession)) {
    std::string_view name = arn->resource.substr(kSession.size());
    name = name.substr(0, name.find('/'));
    KT_TRY(AddRole(rows, name, inputs));
  }
  KT_TRY(AddKey(rows, question, inputs));
  AddGrants(rows, question, inputs);
  return {};
}

}  // namespace

void FixedContext::Add(std::string_view name, std::string value) {
  values_[policy::ToLowerAscii(name)].push_back(std::move(value));
}

bool FixedContext::Has(std::string_view name) const {
  return values_.contains(policy::ToLowerAscii(name));
}

void FixedContext::Find(const policy::ConditionKey& key, policy::Values& out) const {
  if (const auto found = values_.find(key.name); found != values_.end()) {
    out.insert(out.end(), found->second.begin(), found->second.end());
  }
}

std::size_t FixedContext::CountUnder(std::string_view prefix) const {
  return static_cast<std::size_t>(std::count_if(
      values_.begin(), values_.end(),
      [&](const auto& entry) { return std::string_view(entry.first).starts_with(prefix); }));
}

Result<PolicyInputs> GatherInputs(const Question& question) {
  KT_ASSIGN(PolicyInputs inputs, Start(question));
  if (!question.data_dir.empty()) {
    KT_TRY(GatherDirectory(question, inputs));
  } else {
    KT_TRY(GatherFiles(question, inputs));
  }
  if (!question.boundary.empty()) {
    KT_ASSIGN(inputs.boundary,
              FromFile(question.boundary, policy::Kind::kIdentityPolicy, "permissions boundary"));
  }
  if (!question.session_policy.empty()) {
    KT_ASSIGN(inputs.session,
              FromFile(question.session_policy, policy::Kind::kIdentityPolicy, "session policy"));
  }
  Default(inputs.context, "aws:PrincipalArn", question.principal);
  Default(inputs.context, "aws:PrincipalAccount", std::string(inputs.principal_account.text()));
  Default(inputs.context, "kms:CallerAccount", std::string(inputs.principal_account.text()));
  return inputs;
}

}  // namespace keyturn::cli
