#include "server/apply_access.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <set>

#include "server/admin_principals.h"
#include "server/web_identity.h"
#include "service/principals.h"

namespace keyturn::server {
namespace {

using json::Value;
using Kind = AccessChange::Kind;

constexpr std::uint32_t kSessionSecondsMin = 3600;
constexpr std::uint32_t kSessionSecondsMax = 43'200;
constexpr std::size_t kTagsMax = 50;

class Stage {
 public:
  Stage(service::Call& call, bool prune) : call_(call), prune_(prune) {}

  Status Account(const model::AccountId& account, const Value& value);
  std::vector<AccessChange> changes;

 private:
  Status Group(const std::string& name, const Value& value);
  Status User(const std::string& name, const Value& value);
  Status Role(const std::string& name, const Value& value);
  Status Provider(const std::string& host, const Value& value);

  // Each calls one with every member of a section; an error gets its place.
  using One = Status (Stage::*)(const std::string&, const Value&);
  Status Each(const char* type, const Value& section, One one);

  // Note records a change; parts of an update that are empty mean that nothing changed.
  bool Note(const char* type, const std::string& name, bool exists, std::vector<std::string> parts);

  service::Call& call_;
  bool prune_;
  model::AccountId account_;
};

tl::unexpected<Error> Invalid(std::string message) {
  return Fail(ErrorCode::kValidationException, std::move(message));
}

// PolicyText: a policy is written as an object, or as the text of one.
Result<std::string> PolicyText(const Value& value) {
  if (const auto text = value.AsString()) return std::string(*text);
  if (value.type() == json::Type::kObject) return value.ToJson();
  return Invalid("a policy must be an object or its text");
}

Result<std::vector<store::NamedPolicy>> Policies(const Value& owner) {
  std::vector<store::NamedPolicy> policies;
  const auto section = owner.Find("policies");
  if (!section) return policies;
  Status status;
  if (section->type() != json::Type::kObject) return Invalid("policies must be an object");
  section->ForEachMember([&](std::string_view name, Value value) {
    auto text = PolicyText(value);
    if (!text) {
      status = Fail(text.error());
    } else if (name.empty() || name.size() > 128) {
      status = Invalid("a policy's name must have 1 to 128 characters");
    } else {
      policies.push_back({std::string(name), std::move(*text)});
    }
    return status.has_value();
  });
  KT_TRY(std::move(status));
  return policies;
}

Result<std::optional<store::NamedPolicy>> Boundary(const Value& owner) {
  const auto value = owner.Find("boundary");
  if (!value) return std::optional<store::NamedPolicy>();
  KT_ASSIGN(std::string text, PolicyText(*value));
  return std::optional<store::NamedPolicy>({"boundary", std::move(text)});
}

Result<std::vector<std::string>> Strings(const Value& owner, const char* name) {
  std::vector<std::string> out;
  const auto list = owner.Find(name);
  if (!list) return out;
  bool fine = list->type() == json::Type::kArray;
  list->ForEachElement([&](std::size_t, Value element) {
    const auto text = element.AsString();
    fine = fine && text.has_value();
    if (text) out.emplace_back(*text);
    return fine;
  });
  if (!fine) return Invalid(fmt::format("{} must be a list of strings", name));
  return out;
}

Result<std::vector<store::Tag>> Tags(const Value& owner) {
  std::vector<store::Tag> tags;
  const auto section = owner.Find("tags");
  if (!section) return tags;
  bool fine = section->type() == json::Type::kObject;
  section->ForEachMember([&](std::string_view name, Value value) {
    const auto text = value.AsString();
    fine = fine && text && !name.empty() && name.size() <= 128 && text->size() <= 256;
    if (text) tags.push_back({std::string(name), std::string(*text)});
    return fine;
  });
  if (!fine || tags.size() > kTagsMax) {
    return Invalid("tags must be an object of at most 50 strings");
  }
  return tags;
}

// CheckMembers refuses a member that is not known: a slip of the pen must not be silent.
Status CheckMembers(const Value& value, std::initializer_list<std::string_view> known) {
  if (value.type() != json::Type::kObject) return Invalid("must be an object");
  std::string unknown;
  value.ForEachMember([&](std::string_view name, const Value&) {
    if (std::find(known.begin(), known.end(), name) == known.end()) unknown = name;
    return unknown.empty();
  });
  if (!unknown.empty()) return Invalid(fmt::format("has an unknown member {}", unknown));
  return {};
}

// Differences names the policies that differ.
void Differences(const std::vector<store::NamedPolicy>& before,
                 const std::vector<store::NamedPolicy>& after, std::vector<std::string>& parts) {
  const auto text_of = [](const std::vector<store::NamedPolicy>& policies,
                          const std::string& name) -> const std::string* {
    for (const auto& policy : policies) {
      if (policy.name == name) return &policy.text;
    }
    return nullptr;
  };
  std::set<std::string> names;
  for (const auto& policy : before) names.insert(policy.name);
  for (const auto& policy : after) names.insert(policy.name);
  for (const std::string& name : names) {
    const std::string* const old_text = text_of(before, name);
    const std::string* const new_text = text_of(after, name);
    if (old_text == nullptr) {
      parts.push_back("+policy " + name);
    } else if (new_text == nullptr) {
      parts.push_back("-policy " + name);
    } else if (*old_text != *new_text) {
      parts.push_back("policy " + name);
    }
  }
}

bool Same(const std::optional<store::NamedPolicy>& a, const std::optional<store::NamedPolicy>& b) {
  return a.has_value() == b.has_value() && (!a || a->text == b->text);
}

Status Stage::Each(const char* type, const Value& section, One one) {
  Status status;
  if (section.type() != json::Type::kObject) {
    return Invalid(
        fmt::format("account {}: the section of {}s must be an object", account_.text(), type));
  }
  section.ForEachMember([&](std::string_view name, Value value) {
    status = (this->*one)(std::string(name), value);
    if (!status) {
      Error error = status.error();
      error.message =
          fmt::format("account {}, {} {}: {}", account_.text(), type, name, error.message);
      status = Fail(std::move(error));
    }
    return status.has_value();
  });
  return status;
}

bool Stage::Note(const char* type, const std::string& name, bool exists,
                 std::vector<std::string> parts) {
  if (exists && parts.empty()) return false;
  if (!exists) parts.clear();
  changes.push_back({exists ? Kind::kUpdate : Kind::kCreate, std::string(account_.text()), type,
                     name, std::move(parts)});
  return true;
}

Status Stage::Group(const std::string& name, const Value& value) {
  KT_TRY(service::CheckPrincipalName("a group's name", name));
  KT_TRY(CheckMembers(value, {"policies"}));
  const service::GroupPtr known = call_.view.FindGroup(account_, name);
  store::GroupRow row;
  if (known) row = known->row;
  row.account = account_;
  row.name = name;
  KT_ASSIGN(row.policies, Policies(value));
  if (!known) {
    row.group_id = service::NewPrincipalId("AGPA", call_.environment.random);
    row.created = call_.now;
  }
  std::vector<std::string> parts;
  if (known) Differences(known->row.policies, row.policies, parts);
  KT_ASSIGN(service::GroupPtr made, service::MakeGroup(std::move(row)));
  if (Note("group", name, known != nullptr, std::move(parts))) call_.txn->PutGroup(std::move(made));
  return {};
}

Status Stage::User(const std::string& name, const Value& value) {
  KT_TRY(service::CheckPrincipalName("a user's name", name));
  KT_TRY(CheckMembers(value, {"policies", "groups", "boundary", "tags"}));
  const service::UserPtr known = call_.view.FindUser(account_, name);
  store::UserRow row;
  if (known) row = known->row;
  row.account = account_;
  row.name = name;
  KT_ASSIGN(row.policies, Policies(value));
  KT_ASSIGN(row.groups, Strings(value, "groups"));
  KT_ASSIGN(row.boundary, Boundary(value));
  KT_ASSIGN(row.tags, Tags(value));
  for (const std::string& group : row.groups) {
    if (!call_.view.FindGroup(account_, group)) {
      return Invalid(fmt::format("group {} does not exist", group));
    }
  }
  if (!known) {
    row.user_id = service::NewPrincipalId("AIDA", call_.environment.random);
    row.created = call_.now;
  }
  std::vector<std::string> parts;
  if (known) {
    Differences(known->row.policies, row.policies, parts);
    if (known->row.groups != row.groups) parts.emplace_back("groups");
    if (!Same(known->row.boundary, row.boundary)) parts.emplace_back("boundary");
    if (known->row.tags != row.tags) parts.emplace_back("tags");
  }
  KT_ASSIGN(service::UserPtr made, service::MakeUser(std::move(row)));
  if (Note("user", name, known != nullptr, std::move(parts))) call_.txn->PutUser(std::move(made));
  return {};
}

Result<std::uint32_t> SessionSeconds(const Value& value) {
  const auto member = value.Find("max_session_seconds");
  if (!member) return kSessionSecondsMin;
  std::int64_t seconds = member->AsInt().value_or(0);
  if (const auto text = member->AsString()) {
    (void)std::from_chars(text->data(), text->data() + text->size(), seconds);
  }
  if (seconds < kSessionSecondsMin || seconds > kSessionSecondsMax) {
    return Invalid(fmt::format("max_session_seconds must be between {} and {}", kSessionSecondsMin,
                               kSessionSecondsMax));
  }
  return static_cast<std::uint32_t>(seconds);
}

Status Stage::Role(const std::string& name, const Value& value) {
  KT_TRY(service::CheckPrincipalName("a role's name", name));
  KT_TRY(CheckMembers(value,
                      {"trust", "path", "policies", "boundary", "tags", "max_session_seconds"}));
  const service::RolePtr known = call_.view.FindRole(account_, name);
  store::RoleRow row;
  if (known) row = known->row;
  row.account = account_;
  row.name = name;
  const auto trust = value.Find("trust");
  if (!trust) return Invalid("trust is missing");
  KT_ASSIGN(row.trust, PolicyText(*trust));
  const auto path = value.Find("path");
  row.path = path ? std::string(path->AsString().value_or("")) : "/";
  KT_TRY(service::CheckRolePath(row.path));
  KT_ASSIGN(row.policies, Policies(value));
  KT_ASSIGN(row.boundary, Boundary(value));
  KT_ASSIGN(row.tags, Tags(value));
  KT_ASSIGN(row.session_seconds_max, SessionSeconds(value));
  if (!known) {
    row.role_id = service::NewPrincipalId("AROA", call_.environment.random);
    row.created = call_.now;
  }
  std::vector<std::string> parts;
  if (known) {
    if (known->row.trust != row.trust) parts.emplace_back("trust");
    Differences(known->row.policies, row.policies, parts);
    if (known->row.path != row.path) return Invalid("the path of a role cannot be changed");
    if (!Same(known->row.boundary, row.boundary)) parts.emplace_back("boundary");
    if (known->row.tags != row.tags) parts.emplace_back("tags");
    if (known->row.session_seconds_max != row.session_seconds_max) {
      parts.emplace_back("max_session_seconds");
    }
  }
  KT_ASSIGN(service::RolePtr made, service::MakeRole(std::move(row)));
  if (Note("role", name, known != nullptr, std::move(parts))) call_.txn->PutRole(std::move(made));
  return {};
}

Status Stage::Provider(const std::string& host, const Value& value) {
  constexpr std::size_t kHostMax = 247;
  if (host.empty() || host.size() > kHostMax ||
      host.find_first_of(" \n\r\t\"\\?#") != std::string::npos ||
      host.find("://") != std::string::npos) {
    return Invalid("an identity provider is named by its issuer without https://");
  }
  KT_TRY(CheckMembers(value, {"audiences", "key_set"}));
  const service::ProviderPtr known = call_.view.FindProvider(account_, host);
  auto row = known ? *known : store::ProviderRow{account_, host, call_.now, {}, {}};
  KT_ASSIGN(row.audiences, Strings(value, "audiences"));
  const auto breaks = [](const std::string& text) {
    return text.empty() || text.find('\n') != std::string::npos;
  };
  if (row.audiences.empty() || std::any_of(row.audiences.begin(), row.audiences.end(), breaks)) {
    return Invalid("audiences must name at least one");
  }
  const auto keys = value.Find("key_set");
  if (!keys) return Invalid("key_set is missing");
  KT_ASSIGN(row.key_set, PolicyText(*keys));
  KT_TRY(CheckKeySet(row.key_set));
  std::vector<std::string> parts;
  if (known) {
    if (known->audiences != row.audiences) parts.emplace_back("audiences");
    if (known->key_set != row.key_set) parts.emplace_back("key_set");
  }
  if (Note("identity provider", host, known != nullptr, std::move(parts))) {
    call_.txn->PutProvider(std::make_shared<const store::ProviderRow>(std::move(row)));
  }
  return {};
}

// Unnamed calls remove with each principal of a list that section, if it is there, does not name.
template <typename Ptr, typename NameOf, typename Remove>
void Unnamed(const std::vector<Ptr>& list, const std::optional<Value>& section, NameOf name_of,
             Remove remove) {
  if (!section) return;
  for (const Ptr& each : list) {
    if (!section->Find(name_of(*each))) remove(each);
  }
}

Status Stage::Account(const model::AccountId& account, const Value& value) {
  account_ = account;
  KT_TRY(CheckMembers(value, {"users", "groups", "roles", "identity_providers"}));
  const auto users = value.Find("users");
  const auto groups = value.Find("groups");
  const auto roles = value.Find("roles");
  const auto providers = value.Find("identity_providers");
  if (groups) KT_TRY(Each("group", *groups, &Stage::Group));
  if (users) KT_TRY(Each("user", *users, &Stage::User));
  if (roles) KT_TRY(Each("role", *roles, &Stage::Role));
  if (providers) KT_TRY(Each("identity provider", *providers, &Stage::Provider));
  if (!prune_) return {};
  const service::View& view = call_.view;
  const auto deleted = [&](const char* type, const std::string& name) {
    changes.push_back({Kind::kDelete, std::string(account_.text()), type, name, {}});
  };
  const auto row_name = [](const auto& each) -> const std::string& { return each.row.name; };
  Unnamed(view.ListUsers(account_), users, row_name, [&](const service::UserPtr& user) {
    const bool self = call_.caller.user && call_.caller.account() == account_ &&
                      call_.caller.user->row.name == user->row.name;
    if (self) return;
    deleted("user", user->row.name);
    call_.txn->DeleteUser(user, view.ListAccessKeys(account_, user->row.name));
  });
  Status removed;
  Unnamed(view.ListGroups(account_), groups, row_name, [&](const service::GroupPtr& group) {
    deleted("group", group->row.name);
    if (removed) removed = RemoveGroup(call_, group);
  });
  KT_TRY(std::move(removed));
  Unnamed(view.ListRoles(account_), roles, row_name, [&](const service::RolePtr& role) {
    deleted("role", role->row.name);
    call_.txn->DeleteRole(role);
  });
  Unnamed(
      view.ListProviders(account_), providers,
      [](const store::ProviderRow& row) -> const std::string& { return row.host; },
      [&](const service::ProviderPtr& provider) {
        deleted("identity provider", provider->host);
        call_.txn->DeleteProvider(provider);
      });
  return {};
}

}  // namespace

Result<std::vector<AccessChange>> StageAccess(
    service::Call& call, const json::Value& document, bool prune,
    const std::function<bool(const model::AccountId&)>& may_touch) {
  KT_TRY(CheckMembers(document, {"accounts"}));
  const auto accounts = document.Find("accounts");
  if (!accounts || accounts->type() != json::Type::kObject) {
    return Invalid("the document must have an object accounts");
  }
  Stage stage(call, prune);
  Status status;
  accounts->ForEachMember([&](std::string_view name, Value value) {
    const auto account = model::AccountId::Parse(name);
    if (!account) {
      status = Invalid(fmt::format("account {} must be 12 digits", name));
    } else if (!may_touch(*account)) {
      status = Fail(ErrorCode::kAccessDeniedException,
                    "only principals of the operator's account may administer other accounts");
    } else {
      status = stage.Account(*account, value);
    }
    return status.has_value();
  });
  KT_TRY(std::move(status));
  return std::move(stage.changes);
}

}  // namespace keyturn::server
