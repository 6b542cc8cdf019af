// Why a principal may do something to a key, or may not: every statement of every policy that has a
// say, and the decision.
#include "api/ops/get_key_policy.h"
#include "console/inventory.h"
#include "console/views.h"
#include "json/json.h"
#include "policy/policy.h"
#include "server/form.h"
#include "service/access.h"
#include "service/conditions.h"
#include "service/grants.h"

namespace keyturn::console {
namespace {

using service::Call;
using service::Caller;

struct NamedPolicy {
  std::string name;
  policy::PolicyPtr compiled;
};

// PoliciesOf: the caller's side, by name.
std::vector<NamedPolicy> PoliciesOf(const service::View& view, const Caller& caller) {
  std::vector<NamedPolicy> named;
  const auto add = [&named](std::string_view owner, const auto& rows, const auto& compiled) {
    for (std::size_t i = 0; i < rows.size() && i < compiled.size(); ++i) {
      named.push_back({std::string(owner) + ", policy " + rows[i].name, compiled[i]});
    }
  };
  if (caller.role) {
    add("Role " + caller.role->row.name, caller.role->row.policies, caller.role->policies);
    named.push_back({"Permissions boundary", caller.role->boundary});
  } else {
    add("User " + caller.user->row.name, caller.user->row.policies, caller.user->policies);
    for (const std::string& name : caller.user->row.groups) {
      if (const auto group = view.FindGroup(caller.account(), name)) {
        add("Group " + name, group->row.policies, group->policies);
      }
    }
    named.push_back({"Permissions boundary", caller.user->boundary});
  }
  if (caller.session) named.push_back({"Session policy", caller.session->policy});
  std::erase_if(named, [](const NamedPolicy& each) { return !each.compiled; });
  return named;
}

// CallerNamed: another user of the account, as it would call.
Result<Caller> CallerNamed(const Call& call, const std::string& name) {
  KT_TRY(service::AuthorizeResource(call, "keyturn:ListUsers", "*"));
  const service::UserPtr user = call.view.FindUser(call.account(), name);
  if (!user) return Fail(ErrorCode::kNotFoundException, "There is no user " + name + ".");
  Caller caller;
  caller.user = user;
  caller.peer = call.caller.peer;
  caller.identity = user->policies;
  for (const std::string& each : user->row.groups) {
    const auto group = call.view.FindGroup(call.account(), each);
    if (!group) continue;
    caller.identity.insert(caller.identity.end(), group->policies.begin(), group->policies.end());
  }
  return caller;
}

void WritePolicy(const NamedPolicy& each, const policy::Request& request, json::Writer& out) {
  out.BeginObject().Key("Name").String(each.name).Key("Statements").BeginArray();
  for (const policy::Finding& finding : policy::Explain(*each.compiled, request)) {
    out.BeginObject().Key("Index").Int(static_cast<std::int64_t>(finding.index));
    if (!finding.sid.empty()) out.Key("Sid").String(finding.sid);
    out.Key("Effect").String(finding.allow ? "Allow" : "Deny");
    out.Key("Applies").Bool(finding.applies).Key("Detail").String(finding.detail).EndObject();
  }
  out.EndArray().EndObject();
}

bool IsAction(std::string_view operation) {
  return api::FindOperation(operation).has_value() || operation == "ReEncryptFrom" ||
         operation == "ReEncryptTo";
}

void WriteExplanation(const Call& call, const service::KeyEntry& entry,
                      const std::string& operation, json::Writer& out) {
  const std::string action = "kms:" + operation;
  const std::string arn = entry.key.arn();
  const policy::Principal principal = call.caller.principal();
  const service::CallConditions conditions(call, action, entry, {});
  const policy::Request asked{action, arn, &principal, &conditions};
  const Status decided = service::AuthorizeKey(call, action, entry);
  out.BeginObject().Key("Principal").String(call.caller.arn());
  out.Key("Action").String(action).Key("Resource").String(arn);
  out.Key("Allowed").Bool(decided.has_value());
  if (!decided) out.Key("Reason").String(decided.error().message);
  std::int64_t grants = 0;
  service::VisitGrants(call, action, entry, [&](const policy::GrantSide& /*side*/) {
    ++grants;
    return true;
  });
  out.Key("Grants").Int(grants);
  out.Key("Policies").BeginArray();
  WritePolicy({"Key policy", entry.policy->compiled}, asked, out);
  for (const NamedPolicy& each : PoliciesOf(call.view, call.caller)) WritePolicy(each, asked, out);
  out.EndArray().EndObject();
}

}  // namespace

Status ViewExplanation(service::Service& service, server::RequestState& request) {
  const auto query = server::Form::Parse(request.exchange->request().query);
  if (!query) return Fail(ErrorCode::kValidationException, "The query is malformed.");
  const std::string operation = query->Get("operation");
  if (!IsAction(operation)) {
    return Fail(ErrorCode::kValidationException, "operation must be the name of an operation.");
  }
  const service::Environment& environment = service.environment();
  Call call{environment, request.caller, request.region, request.now, environment.tables};
  // Who may not read the key's policy is not told what is in it.
  api::GetKeyPolicyRequest read;
  read.key_id = query->Get("key-id");
  KT_TRY(Perform<api::op::GetKeyPolicy>(call, read));
  const service::KeyPtr entry = call.targets.front().key;
  const std::string user = query->Get("user");
  json::Writer out(request.body);
  if (user.empty()) {
    WriteExplanation(call, *entry, operation, out);
    return {};
  }
  KT_ASSIGN(const Caller other, CallerNamed(call, user));
  const Call as_other{environment, other, request.region, request.now, environment.tables};
  WriteExplanation(as_other, *entry, operation, out);
  return {};
}

}  // namespace keyturn::console
