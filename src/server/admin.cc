// Administration: users, their policies and access keys, AWS managed keys. Spoken like the KMS API
// (JSON, SigV4 with service name "keyturn", X-Amz-Target KeyturnAdmin.<Operation>), authorised by
// identity policies on keyturn:<Operation>, audited like everything else.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/hex.h"
#include "base/uuid.h"
#include "crypto/digest.h"
#include "server/admin_principals.h"
#include "server/apply_access.h"
#include "server/audit.h"
#include "server/pipeline.h"
#include "service/access.h"
#include "service/access_keys.h"
#include "service/create_key.h"
#include "service/principals.h"

namespace keyturn::server {
namespace {

using service::Call;
using service::Txn;

// Input: the members of an administrative request, all strings.
struct Input {
  model::AccountId account;
  std::string user_name, policy_name, policy_document, access_key_id, status, alias_name;
  std::string group_name, role_name;
  std::string document, dry_run, prune;
  bool operator_asks = false;  // of ApplyAccess: all accounts are the caller's to administer
};

Result<Input> ReadInput(const json::Value& body, const model::AccountId& own) {
  Input input;
  input.account = own;
  std::string account;
  const std::pair<std::string_view, std::string*> members[] = {
      {"AccountId", &account},
      {"UserName", &input.user_name},
      {"PolicyName", &input.policy_name},
      {"PolicyDocument", &input.policy_document},
      {"AccessKeyId", &input.access_key_id},
      {"Status", &input.status},
      {"AliasName", &input.alias_name},
      {"GroupName", &input.group_name},
      {"RoleName", &input.role_name},
      {"Document", &input.document},
      {"DryRun", &input.dry_run},
      {"Prune", &input.prune}};
  std::string unknown;
  body.ForEachMember([&](std::string_view name, json::Value value) {
    const auto* const member = std::find_if(std::begin(members), std::end(members),
                                            [&](const auto& each) { return each.first == name; });
    const auto text = value.AsString();
    if (member == std::end(members) || !text) {
      unknown = name;
      return false;
    }
    member->second->assign(*text);
    return true;
  });
  if (!unknown.empty()) {
    return Fail(ErrorCode::kValidationException, "unknown or ill-typed member " + unknown);
  }
  if (!account.empty()) {
    const auto parsed = model::AccountId::Parse(account);
    if (!parsed) {
      return Fail(ErrorCode::kValidationException, "AccountId must be 12 digits");
    }
    input.account = *parsed;
  }
  return input;
}

Result<service::UserPtr> ExistingUser(const Call& call, const Input& input) {
  service::UserPtr user = call.view.FindUser(input.account, input.user_name);
  if (!user) {
    return Fail(ErrorCode::kNotFoundException, fmt::format("User {} does not exist in account {}",
                                                           input.user_name, input.account.text()));
  }
  return user;
}

Status CreateUser(Call& call, const Input& input, json::Writer& out) {
  KT_TRY(service::CheckPrincipalName("UserName", input.user_name));
  if (call.view.FindUser(input.account, input.user_name)) {
    return Fail(ErrorCode::kAlreadyExistsException,
                fmt::format("User {} already exists", input.user_name));
  }
  store::UserRow row;
  row.account = input.account;
  row.name = input.user_name;
  row.user_id = service::NewPrincipalId("AIDA", call.environment.random);
  row.created = call.now;
  KT_ASSIGN(service::UserPtr user, service::MakeUser(std::move(row)));
  out.BeginObject().Key("UserName").String(user->row.name).Key("UserId").String(user->row.user_id);
  out.Key("Arn").String(user->arn).EndObject();
  call.txn->PutUser(std::move(user));
  return {};
}

Status DeleteUser(Call& call, const Input& input, json::Writer& out) {
  KT_ASSIGN(const service::UserPtr user, ExistingUser(call, input));
  if (call.caller.user && user->row.user_id == call.caller.user->row.user_id) {
    return Fail(ErrorCode::kValidationException, "a user cannot delete itself");
  }
  call.txn->DeleteUser(user, call.view.ListAccessKeys(input.account, input.user_name));
  out.BeginObject().EndObject();
  return {};
}

Status ListUsers(Call& call, const Input& input, json::Writer& out) {
  out.BeginObject().Key("Users").BeginArray();
  for (const service::UserPtr& user : call.view.ListUsers(input.account)) {
    out.BeginObject().Key("UserName").String(user->row.name);
    out.Key("Arn").String(user->arn).Key("Policies").BeginArray();
    for (const store::NamedPolicy& policy : user->row.policies) out.String(policy.name);
    out.EndArray().EndObject();
  }
  out.EndArray().EndObject();
  return {};
}

Status PutUserPolicy(Call& call, const Input& input, json::Writer& out) {
  KT_ASSIGN(const service::UserPtr user, ExistingUser(call, input));
  if (input.policy_name.empty() || input.policy_name.size() > 128) {
    return Fail(ErrorCode::kValidationException, "PolicyName must have 1 to 128 characters");
  }
  store::UserRow row = user->row;
  std::erase_if(row.policies,
                [&](const store::NamedPolicy& each) { return each.name == input.policy_name; });
  row.policies.push_back({input.policy_name, input.policy_document});
  KT_ASSIGN(service::UserPtr changed, service::MakeUser(std::move(row)));
  call.txn->PutUser(std::move(changed));
  out.BeginObject().EndObject();
  return {};
}

Status DeleteUserPolicy(Call& call, const Input& input, json::Writer& out) {
  KT_ASSIGN(const service::UserPtr user, ExistingUser(call, input));
  store::UserRow row = user->row;
  if (std::erase_if(row.policies, [&](const store::NamedPolicy& each) {
        return each.name == input.policy_name;
      }) == 0) {
    return Fail(ErrorCode::kNotFoundException,
                fmt::format("User {} has no policy {}", input.user_name, input.policy_name));
  }
  KT_ASSIGN(service::UserPtr changed, service::MakeUser(std::move(row)));
  call.txn->PutUser(std::move(changed));
  out.BeginObject().EndObject();
  return {};
}

Status CreateAccessKey(Call& call, const Input& input, json::Writer& out) {
  KT_ASSIGN(const service::UserPtr user, ExistingUser(call, input));
  auto made = service::MakeAccessKey(call.environment.keyring, input.account, input.user_name,
                                     call.now, call.environment.random);
  out.BeginObject().Key("UserName").String(input.user_name);
  out.Key("AccessKeyId").String(made.row.id);
  out.Key("SecretAccessKey").String(AsText(made.secret.reveal())).EndObject();
  auto access_key = std::make_shared<service::AccessKey>();
  access_key->row = std::move(made.row);
  access_key->secret = std::move(made.secret);
  call.txn->PutAccessKey(std::move(access_key));
  return {};
}

Result<service::AccessKeyPtr> ExistingAccessKey(const Call& call, const Input& input) {
  service::AccessKeyPtr key = call.view.FindAccessKey(input.access_key_id);
  if (!key || key->row.account != input.account) {
    return Fail(ErrorCode::kNotFoundException,
                fmt::format("Access key {} does not exist in account {}", input.access_key_id,
                            input.account.text()));
  }
  if (call.caller.access_key && key->row.id == call.caller.access_key->row.id) {
    return Fail(ErrorCode::kValidationException,
                "an access key cannot take itself away; use another one");
  }
  return key;
}

Status DeleteAccessKey(Call& call, const Input& input, json::Writer& out) {
  KT_ASSIGN(const service::AccessKeyPtr key, ExistingAccessKey(call, input));
  call.txn->DeleteAccessKey(key->row.id);
  out.BeginObject().EndObject();
  return {};
}

Status UpdateAccessKey(Call& call, const Input& input, json::Writer& out) {
  if (input.status != "Active" && input.status != "Inactive") {
    return Fail(ErrorCode::kValidationException, "Status must be Active or Inactive");
  }
  KT_ASSIGN(const service::AccessKeyPtr key, ExistingAccessKey(call, input));
  auto changed = std::make_shared<service::AccessKey>();
  changed->row = key->row;
  changed->row.active = input.status == "Active";
  changed->secret = SecretBytes::CopyOf(key->secret.reveal());
  call.txn->PutAccessKey(std::move(changed));
  out.BeginObject().EndObject();
  return {};
}

Status ListAccessKeys(Call& call, const Input& input, json::Writer& out) {
  KT_TRY(ExistingUser(call, input));
  out.BeginObject().Key("AccessKeys").BeginArray();
  for (const auto& key : call.view.ListAccessKeys(input.account, input.user_name)) {
    out.BeginObject().Key("AccessKeyId").String(key->row.id);
    out.Key("Status").String(key->row.active ? "Active" : "Inactive");
    out.Key("CreateDate").EpochSeconds(key->row.created).EndObject();
  }
  out.EndArray().EndObject();
  return {};
}

Status CreateAwsManagedKey(Call& call, const Input& input, json::Writer& out) {
  KT_ASSIGN(const keys::Key key,
            service::AddAwsManagedKey(*call.txn, call.environment, input.account, call.region,
                                      input.alias_name, call.now));
  out.BeginObject().Key("KeyId").String(key.id.text()).Key("Arn").String(key.arn());
  out.Key("AliasName").String(input.alias_name).EndObject();
  return {};
}

Status ApplyAccess(Call& call, const Input& input, json::Writer& out) {
  json::Parser parser(json::Limits{.bytes_max = 512 << 10, .depth_max = 24});
  const auto document = parser.Parse(input.document);
  if (!document) {
    return Fail(ErrorCode::kValidationException,
                "the document is not valid JSON: " + document.error().message);
  }
  KT_ASSIGN(
      const auto changes,
      StageAccess(call, *document, input.prune == "true", [&](const model::AccountId& account) {
        return account == call.account() || input.operator_asks;
      }));
  out.BeginObject().Key("Applied").Bool(input.dry_run != "true").Key("Changes").BeginArray();
  constexpr std::string_view kKinds[] = {"create", "update", "delete"};
  for (const AccessChange& change : changes) {
    out.BeginObject().Key("Action").String(kKinds[static_cast<std::size_t>(change.kind)]);
    out.Key("AccountId").String(change.account).Key("Type").String(change.type);
    out.Key("Name").String(change.name).Key("Parts").BeginArray();
    for (const std::string& part : change.parts) out.String(part);
    out.EndArray().EndObject();
  }
  out.EndArray().EndObject();
  if (input.dry_run == "true") call.txn->Discard();
  return {};
}

Status ListGroups(Call& call, const Input& input, json::Writer& out) {
  out.BeginObject().Key("Groups").BeginArray();
  for (const service::GroupPtr& group : call.view.ListGroups(input.account)) {
    out.BeginObject().Key("GroupName").String(group->row.name).Key("Policies").BeginArray();
    for (const store::NamedPolicy& policy : group->row.policies) out.String(policy.name);
    out.EndArray().EndObject();
  }
  out.EndArray().EndObject();
  return {};
}

Status ListRoles(Call& call, const Input& input, json::Writer& out) {
  out.BeginObject().Key("Roles").BeginArray();
  for (const service::RolePtr& role : call.view.ListRoles(input.account)) {
    out.BeginObject().Key("RoleName").String(role->row.name).Key("Arn").String(role->arn);
    out.Key("Policies").BeginArray();
    for (const store::NamedPolicy& policy : role->row.policies) out.String(policy.name);
    out.EndArray().EndObject();
  }
  out.EndArray().EndObject();
  return {};
}

// Named runs an operation of server/admin_principals.h, which answers nothing.
template <auto Run, auto... Arguments>
Status Named(Call& call, const Input& input, json::Writer& out) {
  const AdminNames names{input.account,   input.user_name,   input.group_name,
                         input.role_name, input.policy_name, input.policy_document};
  KT_TRY(Run(call, names, Arguments...));
  out.BeginObject().EndObject();
  return {};
}

struct AdminOperation {
  std::string_view name;
  bool read_only;
  Status (*run)(Call&, const Input&, json::Writer&);
};
constexpr std::array<AdminOperation, 28> kOperations = {{
    {"AddUserToGroup", false, &Named<&ChangeMembership, true>},
    {"ApplyAccess", false, &ApplyAccess},
    {"CreateGroup", false, &Named<&CreateGroup>},
    {"CreateRole", false, &Named<&CreateRole>},
    {"DeleteGroup", false, &Named<&DeleteGroup>},
    {"DeleteGroupPolicy", false, &Named<&ChangeGroupPolicy, false>},
    {"DeleteRole", false, &Named<&DeleteRole>},
    {"DeleteRolePermissionsBoundary", false, &Named<&ChangeRole, RolePart::kDeleteBoundary>},
    {"DeleteRolePolicy", false, &Named<&ChangeRole, RolePart::kDeletePolicy>},
    {"DeleteUserPermissionsBoundary", false, &Named<&ChangeUserBoundary, false>},
    {"PutGroupPolicy", false, &Named<&ChangeGroupPolicy, true>},
    {"PutRolePermissionsBoundary", false, &Named<&ChangeRole, RolePart::kPutBoundary>},
    {"PutRolePolicy", false, &Named<&ChangeRole, RolePart::kPutPolicy>},
    {"PutUserPermissionsBoundary", false, &Named<&ChangeUserBoundary, true>},
    {"RemoveUserFromGroup", false, &Named<&ChangeMembership, false>},
    {"UpdateAssumeRolePolicy", false, &Named<&ChangeRole, RolePart::kTrust>},
    {"CreateAccessKey", false, &CreateAccessKey},
    {"CreateAwsManagedKey", false, &CreateAwsManagedKey},
    {"CreateUser", false, &CreateUser},
    {"DeleteAccessKey", false, &DeleteAccessKey},
    {"DeleteUser", false, &DeleteUser},
    {"DeleteUserPolicy", false, &DeleteUserPolicy},
    {"ListAccessKeys", true, &ListAccessKeys},
    {"ListGroups", true, &ListGroups},
    {"ListRoles", true, &ListRoles},
    {"ListUsers", true, &ListUsers},
    {"PutUserPolicy", false, &PutUserPolicy},
    {"UpdateAccessKey", false, &UpdateAccessKey},
}};

// Parameters: what the trail shows. No member of a request is secret.
std::string Parameters(const Input& input) {
  std::string text;
  json::Writer out(text);
  out.BeginObject().Key("accountId").String(input.account.text());
  const std::pair<std::string_view, const std::string*> members[] = {
      {"userName", &input.user_name},
      {"policyName", &input.policy_name},
      {"policyDocument", &input.policy_document},
      {"accessKeyId", &input.access_key_id},
      {"status", &input.status},
      {"aliasName", &input.alias_name},
      {"groupName", &input.group_name},
      {"roleName", &input.role_name}};
  for (const auto& [name, value] : members) {
    if (!value->empty()) out.Key(name).String(*value);
  }
  if (!input.document.empty()) {
    // The document may be long; its digest says which one it was.
    out.Key("documentSha256").String(HexEncode(crypto::Sha256(AsBytes(input.document))));
    out.Key("dryRun").Bool(input.dry_run == "true").Key("prune").Bool(input.prune == "true");
  }
  out.EndObject();
  return text;
}

Status Authorise(const Call& call, const AdminOperation& operation, const Input& input,
                 const model::AccountId& operator_account) {
  const std::string action = fmt::format("keyturn:{}", operation.name);
  KT_TRY(service::AuthorizeResource(call, action, "*"));
  if (input.account != call.account() && call.account() != operator_account) {
    return Fail(ErrorCode::kAccessDeniedException,
                "only principals of the operator's account may administer other accounts");
  }
  return {};
}

}  // namespace

void DispatchAdmin(Pipeline& pipeline, const RequestPtr& request, std::string_view name) {
  const auto* const operation = std::find_if(kOperations.begin(), kOperations.end(),
                                             [&](const auto& each) { return each.name == name; });
  if (operation == kOperations.end()) {
    pipeline.Refuse(request, {ErrorCode::kUnknownOperationException, {}, {}});
    return;
  }
  request->audit.read_only = operation->read_only;
  const auto value = pipeline.parser(*request).Parse(request->exchange->request().body);
  if (!value || value->type() != json::Type::kObject) {
    pipeline.Refuse(request, {ErrorCode::kSerializationException, {}, {}});
    return;
  }
  auto input = ReadInput(*value, request->caller.account());
  if (!input) {
    pipeline.Refuse(request, input.error());
    return;
  }
  input->operator_asks = request->caller.account() == pipeline.service().operator_account();
  request->audit.request_parameters = Parameters(*input);
  pipeline.service().writer().Submit(
      [&pipeline, request, operation, input = std::move(*input)](Txn& txn) -> Status {
        const service::Environment& environment = pipeline.service().environment();
        Call call{environment, request->caller, request->region, request->now, txn, &txn};
        KT_TRY(Authorise(call, *operation, input, pipeline.service().operator_account()));
        json::Writer out(request->body);
        KT_TRY(operation->run(call, input, out));
        const std::string event_id = NewUuid(environment.random);
        std::string line;
        AppendAuditLine(*request, event_id, nullptr, line);
        line.pop_back();  // the line end is the trail's
        txn.AddTrailLine(event_id, std::move(line));
        return {};
      },
      [&pipeline, held = request](const Status& done) mutable {
        http::Loop& loop = held->exchange->loop();
        loop.Post([&pipeline, request = std::move(held), done] {
          if (done) {
            pipeline.Reply(request, nullptr);
          } else {
            pipeline.Refuse(request, done.error());
          }
        });
      });
}

}  // namespace keyturn::server
