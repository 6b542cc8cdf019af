// keyturn admin: users, policies, access keys and AWS managed keys of a running server.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdlib>
#include <map>
#include <memory>

#include "cli/commands.h"
#include "cli/data_access.h"
#include "cli/yaml_json.h"
#include "http/client.h"
#include "json/json.h"
#include "service/files.h"
#include "sigv4/sigv4.h"

namespace keyturn::cli {
namespace {

struct AdminFlags {
  std::string data_dir, endpoint_url, region;
  std::string account, name, policy_name, policy_file, access_key_id, alias;
  std::string file, group;
  bool dry_run = false, prune = false;
};

// Connect finds endpoint and credentials: the data directory's, or those of the environment.
Result<DataAccess> Connect(const AdminFlags& flags) {
  if (!flags.data_dir.empty()) {
    KT_ASSIGN(DataAccess access, ReadDataAccess(flags.data_dir));
    if (!flags.endpoint_url.empty()) access.endpoint = flags.endpoint_url;
    if (!flags.region.empty()) access.region = flags.region;
    return access;
  }
  const char* id = std::getenv("AWS_ACCESS_KEY_ID");
  const char* secret = std::getenv("AWS_SECRET_ACCESS_KEY");
  const char* region = std::getenv("AWS_REGION");
  if (flags.endpoint_url.empty() || id == nullptr || secret == nullptr) {
    return Fail(ErrorCode::kUsage,
                "give --data-dir, or --endpoint-url with AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY in the environment");
  }
  DataAccess access;
  access.endpoint = flags.endpoint_url;
  access.region = !flags.region.empty() ? flags.region : region != nullptr ? region : "us-east-1";
  access.access_key_id = id;
  access.secret_access_key = SecretBytes::CopyOf(AsBytes(secret));
  return access;
}

// ServerError turns the server's refusal into one of ours.
Error ServerError(const http::ClientResponse& response) {
  json::Parser parser;
  const auto body = parser.Parse(response.body);
  std::string name = "HTTP " + std::to_string(response.status);
  std::string message;
  if (body) {
    for (const char* member : {"message", "Message"}) {
      if (const auto found = body->Find(member)) message = found->AsString().value_or("");
    }
    if (const auto found = body->Find("__type")) name = found->AsString().value_or("");
  }
  return {ErrorCode::kUsage, message.empty() ? name : name + ": " + message, {}};
}

Result<std::string> CallAdmin(const AdminFlags& flags, const std::string& operation,
                              std::string body) {
  KT_ASSIGN(DataAccess access, Connect(flags));
  const std::size_t scheme = access.endpoint.find("://");
  if (scheme == std::string::npos) {
    return Fail(ErrorCode::kUsage, "'" + access.endpoint + "' is not a URL");
  }
  const std::string host = access.endpoint.substr(scheme + 3);
  const std::string target = "KeyturnAdmin." + operation;
  const std::string type = "application/x-amz-json-1.1";
  const sigv4::Header headers[] = {
      {"host", host}, {"content-type", type}, {"x-amz-target", target}};
  sigv4::Credentials credentials{access.access_key_id, std::move(access.secret_access_key), {}};
  const auto signature = sigv4::Sign(
      {.method = "POST", .path = "/", .query = "", .headers = headers, .body = AsBytes(body)},
      credentials, access.region, "keyturn", SystemClock().Now());
  KT_ASSIGN(const auto client, http::Client::Create({}));
  http::ClientRequest request;
  request.url = access.endpoint + "/";
  request.headers = {{"content-type", type},
                     {"x-amz-target", target},
                     {"x-amz-date", signature.amz_date},
                     {"authorization", signature.authorization}};
  request.body = std::move(body);
  Result<http::ClientResponse> answer = Fail(ErrorCode::kNetwork, "no answer");
  client->Submit(std::move(request),
                 [&](Result<http::ClientResponse> done) { answer = std::move(done); });
  while (client->Pump(std::chrono::milliseconds(1000)) > 0) {
  }
  if (!answer) {
    return Fail(ErrorCode::kUsage, access.endpoint + ": " + answer.error().message +
                                       "; is `keyturn serve` running there?");
  }
  if (answer->status != 200) return Fail(ServerError(*answer));
  return std::move(answer->body);
}

// Body writes the members that have a value.
std::string Body(std::initializer_list<std::pair<const char*, std::string>> members) {
  std::string text;
  json::Writer out(text);
  out.BeginObject();
  for (const auto& [name, value] : members) {
    if (!value.empty()) out.Key(name).String(value);
  }
  out.EndObject();
  return text;
}

Result<std::string> PolicyDocument(const std::string& file) {
  KT_ASSIGN(const SecretBytes text, service::ReadSmallFile(file));
  return std::string(AsText(text.reveal()));
}

using MakeBody = std::function<Result<std::string>(const AdminFlags&)>;
// Show makes an answer readable; without it the answer is printed as it is.
using Show = Result<std::string> (*)(const std::string& answer);

// AddOperation makes one leaf command.
CLI::App* AddOperation(CLI::App& group, const char* name, const char* help, const char* operation,
                       Invocation& invocation, const std::shared_ptr<AdminFlags>& flags,
                       MakeBody make_body, Show show = nullptr) {
  CLI::App* command = group.add_subcommand(name, help);
  command->add_option("--data-dir", flags->data_dir, "Directory of the server on this machine")
      ->type_name("DIR");
  command->add_option("--endpoint-url", flags->endpoint_url, "URL of the server")->type_name("URL");
  command->add_option("--region", flags->region, "Region")->type_name("REGION");
  command->add_option("--account", flags->account, "Account, when not the caller's own")
      ->type_name("ID");
  command->callback([&invocation, flags, operation, show, make_body = std::move(make_body)] {
    invocation.run = [flags, operation, show, make_body](const Terminal&) {
      const std::string place = std::string("admin ") + operation;
      auto body = make_body(*flags);
      if (!body) return ReportError(place, body.error());
      auto answer = CallAdmin(*flags, operation, std::move(*body));
      if (!answer) return ReportError(place, answer.error());
      if (show == nullptr) return WriteOut(*answer + "\n") ? 0 : 1;
      const auto shown = show(*answer);
      if (!shown) return ReportError(place, shown.error());
      return WriteOut(*shown) ? 0 : 1;
    };
  });
  return command;
}

void AddUserCommands(CLI::App& admin, Invocation& invocation,
                     const std::shared_ptr<AdminFlags>& flags) {
  CLI::App* user = admin.add_subcommand("user", "Users and their policies");
  user->require_subcommand(1);
  const auto named = [](CLI::App* command, const std::shared_ptr<AdminFlags>& to) {
    command->add_option("--name", to->name, "Name of the user")->required()->type_name("NAME");
    return command;
  };
  const MakeBody user_body = [](const AdminFlags& f) -> Result<std::string> {
    return Body({{"AccountId", f.account}, {"UserName", f.name}});
  };
  named(AddOperation(*user, "create", "Create a user", "CreateUser", invocation, flags, user_body),
        flags);
  named(AddOperation(*user, "delete", "Delete a user with its access keys", "DeleteUser",
                     invocation, flags, user_body),
        flags);
  AddOperation(*user, "list", "List the users of an account", "ListUsers", invocation, flags,
               user_body);
  CLI::App* put =
      named(AddOperation(*user, "put-policy", "Add or replace a policy of a user", "PutUserPolicy",
                         invocation, flags,
                         [](const AdminFlags& f) -> Result<std::string> {
                           KT_ASSIGN(const std::string document, PolicyDocument(f.policy_file));
                           return Body({{"AccountId", f.account},
                                        {"UserName", f.name},
                                        {"PolicyName", f.policy_name},
                                        {"PolicyDocument", document}});
                         }),
            flags);
  put->add_option("--policy-file", flags->policy_file, "JSON policy document")
      ->required()
      ->type_name("FILE");
  CLI::App* remove = named(AddOperation(*user, "delete-policy", "Remove a policy from a user",
                                        "DeleteUserPolicy", invocation, flags,
                                        [](const AdminFlags& f) -> Result<std::string> {
                                          return Body({{"AccountId", f.account},
                                                       {"UserName", f.name},
                                                       {"PolicyName", f.policy_name}});
                                        }),
                           flags);
  for (CLI::App* command : {put, remove}) {
    command->add_option("--policy-name", flags->policy_name, "Name of the policy")
        ->required()
        ->type_name("NAME");
  }
}

void AddAccessKeyCommands(CLI::App& admin, Invocation& invocation,
                          const std::shared_ptr<AdminFlags>& flags) {
  CLI::App* group = admin.add_subcommand("access-key", "Access keys of users");
  group->require_subcommand(1);
  const MakeBody of_user = [](const AdminFlags& f) -> Result<std::string> {
    return Body({{"AccountId", f.account}, {"UserName", f.name}});
  };
  const auto of_key = [](const char* status) -> MakeBody {
    return [status](const AdminFlags& f) -> Result<std::string> {
      return Body({{"AccountId", f.account}, {"AccessKeyId", f.access_key_id}, {"Status", status}});
    };
  };
  for (CLI::App* command :
       {AddOperation(*group, "create", "Create an access key; its secret is shown once",
                     "CreateAccessKey", invocation, flags, of_user),
        AddOperation(*group, "list", "List the access keys of a user", "ListAccessKeys", invocation,
                     flags, of_user)}) {
    command->add_option("--user", flags->name, "Name of the user")->required()->type_name("NAME");
  }
  for (CLI::App* command :
       {AddOperation(*group, "delete", "Delete an access key", "DeleteAccessKey", invocation, flags,
                     of_key("")),
        AddOperation(*group, "activate", "Let an access key sign again", "UpdateAccessKey",
                     invocation, flags, of_key("Active")),
        AddOperation(*group, "deactivate", "Keep an access key from signing", "UpdateAccessKey",
                     invocation, flags, of_key("Inactive"))}) {
    command->add_option("--id", flags->access_key_id, "Access key id")
        ->required()
        ->type_name("AKIA...");
  }
}

// ShowChanges prints the difference that ApplyAccess found, a line for each principal.
Result<std::string> ShowChanges(const std::string& answer) {
  json::Parser parser;
  KT_ASSIGN(const json::Value body, parser.Parse(answer));
  const auto changes = body.Find("Changes");
  if (!changes) return Fail(ErrorCode::kMalformed, "the answer has no Changes");
  const auto text_of = [](const json::Value& object, const char* name) {
    const auto member = object.Find(name);
    return std::string(member ? member->AsString().value_or("") : "");
  };
  std::string out;
  changes->ForEachElement([&](std::size_t, json::Value change) {
    const std::string action = text_of(change, "Action");
    out += action == "create" ? "+ " : action == "delete" ? "- " : "~ ";
    out += fmt::format("{} {} {}", text_of(change, "AccountId"), text_of(change, "Type"),
                       text_of(change, "Name"));
    std::string separator = ": ";
    if (const auto parts = change.Find("Parts")) {
      parts->ForEachElement([&](std::size_t, json::Value part) {
        out += separator + std::string(part.AsString().value_or(""));
        separator = ", ";
        return true;
      });
    }
    out += '\n';
    return true;
  });
  const bool applied = body.Find("Applied")->AsBool().value_or(false);
  out += fmt::format("{} change{} {}\n", changes->size(), changes->size() == 1 ? "" : "s",
                     applied ? "applied" : "to apply (dry run)");
  return out;
}

// Leaf: one command whose options are names and perhaps a policy file.
struct Leaf {
  const char* command;
  const char* help;
  const char* operation;
  const char* name_option;  // --name of this member of the request; null: none
  const char* member;
  bool policy_name = false;
  bool document = false;
};

void AddLeaf(CLI::App& group, const Leaf& leaf, Invocation& invocation,
             const std::shared_ptr<AdminFlags>& flags) {
  CLI::App* command =
      AddOperation(group, leaf.command, leaf.help, leaf.operation, invocation, flags,
                   [leaf](const AdminFlags& f) -> Result<std::string> {
                     std::string document;
                     if (leaf.document) {
                       KT_ASSIGN(document, PolicyDocument(f.policy_file));
                     }
                     return Body({{"AccountId", f.account},
                                  {leaf.member == nullptr ? "UserName" : leaf.member, f.name},
                                  {"GroupName", f.group},
                                  {"PolicyName", f.policy_name},
                                  {"PolicyDocument", document}});
                   });
  if (leaf.name_option != nullptr) {
    command->add_option(leaf.name_option, flags->name, "Name")->required()->type_name("NAME");
  }
  if (leaf.policy_name) {
    command->add_option("--policy-name", flags->policy_name, "Name of the policy")
        ->required()
        ->type_name("NAME");
  }
  if (leaf.document) {
    command->add_option("--policy-file", flags->policy_file, "JSON policy document")
        ->required()
        ->type_name("FILE");
  }
}

void AddGroupAndRoleCommands(CLI::App& admin, Invocation& invocation,
                             const std::shared_ptr<AdminFlags>& flags) {
  CLI::App* group = admin.add_subcommand("group", "Groups of users");
  group->require_subcommand(1);
  for (const Leaf& leaf : std::initializer_list<Leaf>{
           {"create", "Create a group", "CreateGroup", "--name", "GroupName"},
           {"delete", "Delete a group; its members stay", "DeleteGroup", "--name", "GroupName"},
           {"list", "List the groups of an account", "ListGroups", nullptr, nullptr},
           {"put-policy", "Add or replace a policy of a group", "PutGroupPolicy", "--name",
            "GroupName", true, true},
           {"delete-policy", "Remove a policy from a group", "DeleteGroupPolicy", "--name",
            "GroupName", true}}) {
    AddLeaf(*group, leaf, invocation, flags);
  }
  for (const auto& [name, help, operation] : std::initializer_list<std::array<const char*, 3>>{
           {"add-user", "Put a user into a group", "AddUserToGroup"},
           {"remove-user", "Take a user out of a group", "RemoveUserFromGroup"}}) {
    AddLeaf(*group, {name, help, operation, "--user", "UserName"}, invocation, flags);
    group->get_subcommand(name)
        ->add_option("--name", flags->group, "Name of the group")
        ->required()
        ->type_name("NAME");
  }
  CLI::App* role = admin.add_subcommand("role", "Roles");
  role->require_subcommand(1);
  for (const Leaf& leaf : std::initializer_list<Leaf>{
           {"create", "Create a role; the file is its trust policy", "CreateRole", "--name",
            "RoleName", false, true},
           {"delete", "Delete a role; its sessions end", "DeleteRole", "--name", "RoleName"},
           {"list", "List the roles of an account", "ListRoles", nullptr, nullptr},
           {"put-trust", "Replace the trust policy of a role", "UpdateAssumeRolePolicy", "--name",
            "RoleName", false, true},
           {"put-policy", "Add or replace a policy of a role", "PutRolePolicy", "--name",
            "RoleName", true, true},
           {"delete-policy", "Remove a policy from a role", "DeleteRolePolicy", "--name",
            "RoleName", true},
           {"put-boundary", "Set the permissions boundary of a role", "PutRolePermissionsBoundary",
            "--name", "RoleName", false, true},
           {"delete-boundary", "Remove the permissions boundary of a role",
            "DeleteRolePermissionsBoundary", "--name", "RoleName"}}) {
    AddLeaf(*role, leaf, invocation, flags);
  }
  CLI::App* user = admin.get_subcommand("user");
  for (const Leaf& leaf : std::initializer_list<Leaf>{
           {"put-boundary", "Set the permissions boundary of a user", "PutUserPermissionsBoundary",
            "--name", "UserName", false, true},
           {"delete-boundary", "Remove the permissions boundary of a user",
            "DeleteUserPermissionsBoundary", "--name", "UserName"}}) {
    AddLeaf(*user, leaf, invocation, flags);
  }
}

void AddAccessCommands(CLI::App& admin, Invocation& invocation,
                       const std::shared_ptr<AdminFlags>& flags) {
  CLI::App* apply = AddOperation(
      admin, "apply", "Make accounts what a file says: users, groups, roles, identity providers",
      "ApplyAccess", invocation, flags,
      [](const AdminFlags& f) -> Result<std::string> {
        KT_ASSIGN(const std::string yaml, PolicyDocument(f.file));
        KT_ASSIGN(const std::string document, YamlToJson(yaml));
        return Body({{"Document", document},
                     {"DryRun", f.dry_run ? "true" : ""},
                     {"Prune", f.prune ? "true" : ""}});
      },
      &ShowChanges);
  apply->add_option("-f,--file", flags->file, "YAML or JSON; docs/access.md has its form")
      ->required()
      ->type_name("FILE");
  apply->add_flag("--dry-run", flags->dry_run, "Show what would change, and change nothing");
  apply->add_flag("--prune", flags->prune,
                  "Delete what the file's sections do not name, with access keys");
}

// Sample: what an example gives an option; group is the word before the command's own.
std::string Sample(const std::string& group, const std::string& option) {
  static const std::map<std::string, std::string> kSamples = {
      {"--user", "alice"},           {"--policy-name", "use"},    {"--policy-file", "policy.json"},
      {"--id", "AKIAEXAMPLE234567"}, {"--alias", "alias/aws/s3"}, {"--file", "organisation.yaml"}};
  if (option == "--name") {
    return group == "user" ? "alice" : group == "group" ? "developers" : "Auditor";
  }
  const auto found = kSamples.find(option);
  return found == kSamples.end() ? "VALUE" : found->second;
}

// AddExamples gives every command that has no footer an example made of what it requires.
void AddExamples(CLI::App& app, const std::string& words, const std::string& group) {
  std::string examples;
  int lines = 0;
  for (CLI::App* command : app.get_subcommands({})) {
    AddExamples(*command, words + " " + command->get_name(), app.get_name());
    const std::string footer = command->get_footer();
    const std::size_t begin = footer.find("\n  ");
    if (begin == std::string::npos || ++lines > 3) continue;
    examples += footer.substr(begin, footer.find('\n', begin + 1) - begin);
  }
  if (!app.get_footer().empty()) return;
  if (!examples.empty()) {
    app.footer("Examples:" + examples);
    return;
  }
  std::string line = "\n  " + words + " --data-dir ./data";
  for (const CLI::Option* option : app.get_options({})) {
    if (!option->get_required()) continue;
    const std::string name = "--" + option->get_lnames().at(0);
    line += " " + name + " " + Sample(group, name);
  }
  app.footer("Example:" + line);
}

}  // namespace

void AddAdminCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* admin = app.add_subcommand("admin", "Administer a running server");
  admin->require_subcommand(1);
  const auto flags = std::make_shared<AdminFlags>();
  AddUserCommands(*admin, invocation, flags);
  AddAccessKeyCommands(*admin, invocation, flags);
  CLI::App* managed = admin->add_subcommand("aws-managed-key", "AWS managed keys");
  managed->require_subcommand(1);
  CLI::App* create = AddOperation(*managed, "create", "Create the AWS managed key of a service",
                                  "CreateAwsManagedKey", invocation, flags,
                                  [](const AdminFlags& f) -> Result<std::string> {
                                    return Body({{"AccountId", f.account}, {"AliasName", f.alias}});
                                  });
  create->add_option("--alias", flags->alias, "alias/aws/<service>")
      ->required()
      ->type_name("ALIAS");
  AddGroupAndRoleCommands(*admin, invocation, flags);
  AddAccessCommands(*admin, invocation, flags);
  admin->footer(
      "Examples:\n"
      "  keyturn admin user create --data-dir ./data --name alice\n"
      "  keyturn admin user put-policy --data-dir ./data --name alice --policy-name use "
      "--policy-file use.json\n"
      "  keyturn admin access-key create --data-dir ./data --user alice\n"
      "  keyturn admin aws-managed-key create --data-dir ./data --alias alias/aws/s3\n"
      "  keyturn admin apply --data-dir ./data -f organisation.yaml --dry-run");
  AddExamples(*admin, "keyturn admin", "");
}

}  // namespace keyturn::cli
