// keyturn policy explain, audit, remediate, backout
#include "policy/policy.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/commands.h"
#include "cli/policy_commands.h"
#include "cli/policy_inputs.h"
#include "control/permissions.h"

namespace keyturn::cli {
namespace {

constexpr int kExitDenied = 3;

// Explanation collects the lines, and which statements could decide.
class Explanation {
 public:
  Explanation(const PolicyInputs& inputs, const policy::Request& request)
      : inputs_(inputs), request_(request) {}

  void Policy(const std::string& name, const policy::PolicyPtr& policy) {
    if (!policy) return;
    text_ += name + "\n";
    for (const policy::Finding& finding : policy::Explain(*policy, request_)) {
      const std::string sid = finding.sid.empty() ? "" : fmt::format(" ({})", finding.sid);
      text_ += fmt::format("  {} {:<5}  Statement[{}]{}: {}\n", finding.applies ? '*' : ' ',
                           finding.allow ? "Allow" : "Deny", finding.index, sid, finding.detail);
      if (!finding.applies) continue;
      auto& decisive = finding.allow ? allows_ : denies_;
      decisive.push_back(fmt::format("{}, Statement[{}]{}", name, finding.index, sid));
    }
  }

  policy::Decision Decide() {
    const policy::CallerPolicies caller{identity(), inputs_.boundary.policy.get(),
                                        inputs_.session.policy.get()};
    if (!inputs_.key_policy) return policy::Authorize(request_, nullptr, caller);
    policy::KeySide key{inputs_.key_policy.get(), &inputs_.key_account, {}};
    policy::Decision decision = policy::Authorize(request_, &key, caller);
    for (const GrantLine& grant : inputs_.grants) {
      if (decision.allowed || grant.side.effect == policy::Effect::kNone) continue;
      key.grant = grant.side;
      if (policy::Authorize(request_, &key, caller).allowed) {
        decision = {true, {}, true};
        allows_ = {"grant " + grant.id};
      }
    }
    return decision;
  }

  std::string Render(const policy::Decision& decision) const {
    std::string out =
        fmt::format("{} {} {}\n", inputs_.principal_arn, request_.action, request_.resource);
    out += decision.allowed ? "allowed" : "denied " + decision.reason;
    const auto& decisive = decision.allowed ? allows_ : denies_;
    if (!decisive.empty()) {
      out += "\ndecided by ";
      for (std::size_t i = 0; i < decisive.size(); ++i) {
        out += (i == 0 ? "" : "; ") + decisive[i];
        if (!decision.allowed) break;  // the first Deny is enough
      }
    } else if (!decision.allowed) {
      out += "\ndecided by no statement: nothing allows it";
    }
    return out + "\n\n" + text_;
  }

  void Grants() {
    if (inputs_.grants.empty()) return;
    text_ += "grants for this principal\n";
    for (const GrantLine& grant : inputs_.grants) {
      text_ += fmt::format("  {} Allow  {}: {}\n",
                           grant.side.effect == policy::Effect::kNone ? ' ' : '*', grant.id,
                           grant.detail);
    }
  }

 private:
  std::span<const policy::PolicyPtr> identity() {
    compiled_.clear();
    for (const NamedCompiled& each : inputs_.identity) compiled_.push_back(each.policy);
    return compiled_;
  }

  const PolicyInputs& inputs_;
  const policy::Request& request_;
  std::vector<policy::PolicyPtr> compiled_;
  std::vector<std::string> allows_, denies_;
  std::string text_;
};

int RunExplain(const Question& question) {
  const auto inputs = GatherInputs(question);
  if (!inputs) return ReportError("policy explain", inputs.error());
  const policy::Principal principal{inputs->principal_account, inputs->principal_arn,
                                    inputs->is_root};
  const policy::Request request{question.action, inputs->resource, &principal, &inputs->context};
  Explanation explanation(*inputs, request);
  explanation.Policy("key policy", inputs->key_policy);
  for (const NamedCompiled& each : inputs->identity) explanation.Policy(each.name, each.policy);
  explanation.Policy(inputs->boundary.name, inputs->boundary.policy);
  explanation.Policy(inputs->session.name, inputs->session.policy);
  explanation.Grants();
  const policy::Decision decision = explanation.Decide();
  if (!WriteOut(explanation.Render(decision))) return 1;
  return decision.allowed ? 0 : kExitDenied;
}

// AddDocument: a command that prints the least policy of a phase.
void AddDocument(CLI::App* policy, Invocation& invocation, const std::string& name,
                 const std::string& help, control::PolicyPurpose purpose) {
  CLI::App* command = policy->add_subcommand(name, help);
  auto format = std::make_shared<std::string>("json");
  command->add_option("--format", *format, "json, cloudformation (a role) or terraform")
      ->check(CLI::IsMember({"json", "cloudformation", "terraform"}))
      ->capture_default_str()
      ->type_name("FORMAT");
  command->footer("Examples:\n  keyturn policy " + name + "\n  keyturn policy " + name +
                  " --format cloudformation > role.json");
  command->callback([&invocation, format, purpose] {
    invocation.run = [format, purpose](const Terminal&) {
      const auto wanted = *format == "json"        ? control::PolicyFormat::kJson
                          : *format == "terraform" ? control::PolicyFormat::kTerraform
                                                   : control::PolicyFormat::kCloudFormation;
      return WriteOut(control::RenderPolicy(purpose, wanted)) ? 0 : 1;
    };
  });
}

}  // namespace

void AddPolicyCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* policy = app.add_subcommand("policy", "Policies");
  policy->require_subcommand(1);
  policy->footer(
      "Examples:\n"
      "  keyturn policy check --policy policy.yaml\n"
      "  keyturn policy audit\n"
      "  keyturn policy remediate --format terraform > remediate.tf");
  AddPolicyCheckCommand(policy, invocation);
  AddDocument(policy, invocation, "audit", "Print the least policy for audit and plan",
              control::PolicyPurpose::kAudit);
  AddDocument(policy, invocation, "remediate", "Print the least policy for apply and verify, too",
              control::PolicyPurpose::kRemediate);
  AddDocument(policy, invocation, "backout", "Print the least policy for backout and verify",
              control::PolicyPurpose::kBackout);
  CLI::App* command = policy->add_subcommand(
      "explain", "Say whether a principal may do something, and which statement decides");
  auto question = std::make_shared<Question>();
  command->add_option("--principal", question->principal, "ARN of a user, role, session or root")
      ->required()
      ->type_name("ARN");
  command->add_option("--action", question->action, "Such as kms:Decrypt")
      ->required()
      ->type_name("ACTION");
  command->add_option("--resource", question->resource, "Key id, alias or ARN; * for no key")
      ->required()
      ->type_name("KEY");
  command->add_option("--region", question->region, "Region of a key id or alias name")
      ->type_name("REGION");
  command->add_option("--context", question->context, "Value of a condition key; may be repeated")
      ->type_name("KEY=VALUE");
  command
      ->add_option("--data-dir", question->data_dir,
                   "Data directory, of a server that is not running")
      ->type_name("DIR");
  command->add_option("--key-policy", question->key_policy, "Without --data-dir: the key's policy")
      ->type_name("FILE");
  command->add_option("--key-account", question->key_account, "Its owner, if another account")
      ->type_name("ID");
  command
      ->add_option("--identity-policy", question->identity_policies,
                   "A policy of the principal; may be repeated")
      ->type_name("FILE");
  command->add_option("--boundary", question->boundary, "Permissions boundary")->type_name("FILE");
  command->add_option("--session-policy", question->session_policy, "Session policy")
      ->type_name("FILE");
  command->footer(
      "Examples:\n"
      "  keyturn policy explain --data-dir d --principal arn:aws:iam::111122223333:user/anna "
      "--action kms:Decrypt --resource alias/pay --region us-east-1\n"
      "  keyturn policy explain --key-policy key.json --identity-policy use.json --principal "
      "arn:aws:iam::111122223333:user/anna --action kms:Encrypt --resource "
      "arn:aws:kms:us-east-1:111122223333:key/1 --context aws:SourceIp=10.0.0.7\n"
      "\nExit codes: 0 allowed, 3 denied.");
  command->callback([&invocation, question] {
    invocation.run = [question](const Terminal&) { return RunExplain(*question); };
  });
}

}  // namespace keyturn::cli
