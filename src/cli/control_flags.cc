// The options of the control's commands, with help and examples.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "cli/commands.h"
#include "cli/control_commands.h"
#include "cli/control_engine.h"
#include "cli/control_options.h"
#include "cli/progress.h"
#include "control/targets_file.h"

namespace keyturn::cli {
namespace {

void AddRun(CLI::App* command, RunFlags& flags) {
  command
      ->add_option("--quota-share", flags.quota_share,
                   "Share of AWS's request quota to use, 0.01 to 1")
      ->check(CLI::Range(0.01, 1.0))
      ->capture_default_str()
      ->type_name("SHARE");
  command
      ->add_option_function<std::string>(
          "--deadline",
          [&flags](const std::string& text) {
            if (const auto time = ParseDuration(text); !time) {
              throw CLI::ValidationError("--deadline", time.error().message);
            }
            flags.deadline = text;
          },
          "Stop after this time, as 30m or 2h; what is left is reported")
      ->type_name("TIME");
  command
      ->add_option("--progress", flags.progress, "On standard error: auto, line, plain, json, none")
      ->check(CLI::IsMember({"auto", "line", "plain", "json", "none"}))
      ->capture_default_str()
      ->type_name("HOW");
}

// AddCaller: options that say the same in the targets file exclude it.
CLI::Option* AddCaller(CLI::App* command, CallerFlags& flags) {
  CLI::Option* targets =
      command
          ->add_option("--targets", flags.targets_path,
                       "YAML file of endpoints, accounts, regions and credentials")
          ->type_name("FILE");
  command
      ->add_option("--profile", flags.profiles,
                   "Profile of the AWS configuration files; may be given several times")
      ->allow_extra_args(false)
      ->excludes(targets)
      ->type_name("NAME");
  CLI::Option* role =
      command
          ->add_option("--role-arn", flags.role_arn, "Take on this role, also of another account")
          ->excludes(targets)
          ->type_name("ARN");
  command
      ->add_option("--role-name", flags.role_name, "Role to take on in each account but one's own")
      ->check([](const std::string& name) {
        return control::IsRoleName(name) ? std::string() : "'" + name + "' is no name of a role";
      })
      ->excludes(targets)
      ->excludes(role)
      ->type_name("NAME");
  command->add_option("--external-id", flags.external_id, "External id that the role asks for")
      ->excludes(targets)
      ->type_name("ID");
  command
      ->add_option("--ca-bundle", flags.ca_bundle,
                   "Certificates to trust; else AWS_CA_BUNDLE, profile, system")
      ->excludes(targets)
      ->type_name("FILE");
  return targets;
}

void CheckCaller(const CallerFlags& flags) {
  if (!flags.external_id.empty() && flags.role_arn.empty() && flags.role_name.empty()) {
    throw CLI::ValidationError("--external-id goes with --role-arn or --role-name");
  }
}

}  // namespace

void AddConnection(CLI::App* command, ConnectionFlags& flags) {
  CLI::Option* targets = AddCaller(command, flags.caller);
  command
      ->add_option("--endpoint-url", flags.endpoint_url,
                   "KMS endpoint; else AWS_ENDPOINT_URL_KMS, else AWS")
      ->excludes(targets)
      ->type_name("URL");
  CLI::Option* region = command
                            ->add_option("--region", flags.regions,
                                         "Regions; else AWS_REGION, AWS_DEFAULT_REGION, profile")
                            ->delimiter(',')
                            ->excludes(targets)
                            ->type_name("R[,R]");
  command->add_option("--regions", flags.regions, "The same, or 'all': every region of an account")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->excludes(targets)
      ->excludes(region)
      ->type_name("R[,R]|all");
  CLI::Option* accounts =
      command->add_option("--accounts", flags.accounts, "Accounts, by --role-name in each")
          ->delimiter(',')
          ->allow_extra_args(false)
          ->check([](const std::string& id) {
            return control::IsAccountId(id) ? std::string() : "'" + id + "' is not 12 digits";
          })
          ->excludes(targets)
          ->type_name("ID[,ID]");
  command
      ->add_flag("--organization", flags.organization,
                 "Every account of the organization, by --role-name in each")
      ->excludes(targets)
      ->excludes(accounts);
  AddRun(command, flags.run);
}

void AddCache(CLI::App* command, ConnectionFlags& flags) {
  command
      ->add_option("--cache", flags.cache_path,
                   "Remember what never changes about keys there; saves calls")
      ->type_name("FILE");
}

void CheckConnection(const ConnectionFlags& flags) {
  CheckCaller(flags.caller);
  const bool many = flags.organization || !flags.accounts.empty();
  if (many && flags.caller.role_name.empty()) {
    throw CLI::ValidationError(flags.organization
                                   ? "--organization needs --role-name, the role in each account"
                                   : "--accounts needs --role-name, the role in each account");
  }
  if (many && flags.caller.profiles.size() > 1) {
    throw CLI::ValidationError("give one --profile, whose credentials take on the roles");
  }
  const auto& regions = flags.regions;
  if (regions.size() > 1 && std::find(regions.begin(), regions.end(), "all") != regions.end()) {
    throw CLI::ValidationError("--regions: 'all' stands alone");
  }
}

void AddPolicy(CLI::App* command, PolicyFlags& flags) {
  CLI::Option* policy = command
                            ->add_option("--policy", flags.policy_path,
                                         "YAML file of the organisation's rules: periods, scope, "
                                         "exceptions")
                            ->type_name("FILE");
  command
      ->add_option("--max-period", flags.max_period_days,
                   "Longest period that passes, 90 to 2560 days")
      ->check(CLI::Range(90, 2560))
      ->excludes(policy)
      ->capture_default_str()
      ->type_name("DAYS");
  command->add_option("--exceptions", flags.exceptions_path, "YAML file of accepted failures")
      ->type_name("FILE");
  command
      ->add_flag("--strict-disabled", flags.strict_disabled,
                 "Disabled keys without rotation fail, too")
      ->excludes(policy);
}

namespace {

void AddChangeFormat(CLI::App* command, std::string& format) {
  command->add_option("--format", format, "Format of the result: table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str()
      ->type_name("FORMAT");
}

void AddAudit(CLI::App& app, Invocation& invocation, const MakeEngine& engine) {
  CLI::App* command =
      app.add_subcommand("audit", "Check which keys rotate as required; changes nothing");
  auto flags = std::make_shared<AuditFlags>();
  AddConnection(command, flags->connection);
  AddCache(command, flags->connection);
  AddPolicy(command, flags->policy);
  command
      ->add_option("--format", flags->formats,
                   "table, json, csv, html, junit, sarif, ocsf, oscal, asff,\nprometheus; else by "
                   "the name of --out")
      ->allow_extra_args(false)
      ->type_name("FORMAT");
  command->add_option("--out", flags->outs, "Write the report there; may be given several times")
      ->allow_extra_args(false)
      ->type_name("FILE");
  command->add_option("--journal", flags->journals, "Show these changes in the HTML report, too")
      ->allow_extra_args(false)
      ->type_name("FILE");
  command
      ->add_option("--state", flags->state_path,
                   "Keep what was read there; the same command goes on with a stopped run")
      ->type_name("FILE");
  command->add_flag("--all", flags->all, "List every key in the table, also those that pass");
  AddRecord(command, flags->record);
  command->footer(
      "Examples:\n"
      "  keyturn audit --region eu-central-1,us-east-1\n"
      "  keyturn audit --region us-east-1 --out report.html --out keys.csv\n"
      "  keyturn audit --endpoint-url http://127.0.0.1:4566 --region us-east-1 --format json\n"
      "  keyturn audit --region us-east-1 --max-period 180 --exceptions exceptions.yaml\n"
      "  keyturn audit --targets fleet.yaml --policy policy.yaml --out report.html\n"
      "  keyturn audit --region us-east-1 --role-arn arn:aws:iam::111122223333:role/Audit\n"
      "  keyturn audit --region us-east-1 --record evidence --sign-key ~/.ssh/id_ed25519\n"
      "  keyturn audit --organization --role-name KeyturnAudit --regions all --state audit.state\n"
      "  keyturn audit --targets fleet.yaml --cache fleet.cache --deadline 2h --out report.html\n"
      "\nExit codes: 0 compliant, 3 findings, 4 incomplete.");
  command->callback([&invocation, flags, engine] {
    CheckConnection(flags->connection);
    CheckRecord(flags->record);
    if (!flags->record.directory.empty() &&
        !(flags->connection.cache_path.empty() && flags->state_path.empty())) {
      throw CLI::ValidationError(
          "--record holds every answer of one run; it does not go with --cache or --state");
    }
    invocation.run = [flags, engine](const Terminal& terminal) {
      return RunAudit(*flags, *engine(), terminal);
    };
  });
}

void AddPreflight(CLI::App& app, Invocation& invocation, const MakeEngine& engine) {
  CLI::App* command = app.add_subcommand(
      "preflight", "Tell which permissions a run would lack, and where; changes nothing");
  auto flags = std::make_shared<PreflightFlags>();
  AddConnection(command, flags->connection);
  command
      ->add_option("--phase", flags->phases,
                   "What for: audit, apply, backout, with commas between; else all")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"audit", "apply", "backout"}))
      ->type_name("P[,P]");
  command->add_flag("--no-write-trial", flags->no_write_trial,
                    "Do not try writes on asymmetric keys, where they cannot do anything");
  AddChangeFormat(command, flags->format);
  command->footer(
      "Examples:\n"
      "  keyturn preflight --region eu-central-1,us-east-1\n"
      "  keyturn preflight --organization --role-name KeyturnAudit --regions all --phase audit\n"
      "  keyturn preflight --targets fleet.yaml --format json\n"
      "\nReads are tried on a few keys of each region, writes on an asymmetric key: it cannot "
      "rotate,\n"
      "and KMS checks the permission before it says so. Where there is none, that is not known.\n"
      "'keyturn policy audit|remediate|backout' prints the policies that are needed.\n"
      "\nExit codes: 0 all there, 3 something is missing, 4 something could not be found out.");
  command->callback([&invocation, flags, engine] {
    CheckConnection(flags->connection);
    invocation.run = [flags, engine](const Terminal& terminal) {
      return RunPreflight(*flags, *engine(), terminal);
    };
  });
}

void AddPlan(CLI::App& app, Invocation& invocation, const MakeEngine& engine) {
  CLI::App* command =
      app.add_subcommand("plan", "Audit, and write the changes that would put failing keys right");
  auto flags = std::make_shared<PlanFlags>();
  AddConnection(command, flags->connection);
  AddCache(command, flags->connection);
  AddPolicy(command, flags->policy);
  command->add_option("--out", flags->out, "File to write the plan to")
      ->required()
      ->type_name("PLAN");
  command->add_flag("--allow-iac-managed", flags->allow_iac_managed,
                    "Plan keys, too, that infrastructure code owns by their tags");
  command->footer(
      "Examples:\n"
      "  keyturn plan --region eu-central-1 --out rotation.plan\n"
      "  keyturn plan --region us-east-1 --exceptions exceptions.yaml --out rotation.plan\n"
      "  keyturn plan --targets fleet.yaml --policy policy.yaml --out rotation.plan\n"
      "  keyturn plan --region us-east-1 --allow-iac-managed --out rotation.plan\n"
      "\nA plan changes nothing. 'keyturn apply' carries it out, and only it.\n"
      "\nExit codes: 0 written, 4 written, but something could not be judged.");
  command->callback([&invocation, flags, engine] {
    CheckConnection(flags->connection);
    invocation.run = [flags, engine](const Terminal& terminal) {
      return RunPlan(*flags, *engine(), terminal);
    };
  });
}

void AddApproval(CLI::App* command, ApplyFlags& flags) {
  command
      ->add_option(
          "--approve", flags.approve,
          "Apply only the plan with this SHA-256, as 'keyturn plan'\nshows it, without asking")
      ->type_name("HASH");
  CLI::Option* signature =
      command
          ->add_option("--approval-signature", flags.approval_signature,
                       "SSH signature of the plan's SHA-256 by somebody who approves")
          ->type_name("FILE");
  command
      ->add_option("--allowed-signers", flags.allowed_signers,
                   "Who may approve, as ssh-keygen(1) describes the file")
      ->needs(signature)
      ->type_name("FILE");
}

void AddBounds(CLI::App* command, ApplyFlags& flags) {
  command
      ->add_option("--first", flags.first,
                   "Change so many keys, read them back, and stop; --resume goes on")
      ->check(CLI::Range(std::size_t{1}, std::size_t{10'000'000}))
      ->type_name("N");
  command
      ->add_option("--max-failure-rate", flags.max_failure_percent,
                   "Stop once more of the last 100 keys failed or were refused,\n0 to 100; 0: the "
                   "first stops it")
      ->check(CLI::Range(0.0, 100.0))
      ->type_name("PERCENT");
}

void AddApply(CLI::App& app, Invocation& invocation, const MakeEngine& engine) {
  CLI::App* command = app.add_subcommand("apply", "Carry out a plan, writing a journal");
  auto flags = std::make_shared<ApplyFlags>();
  command->add_option("PLAN", flags->plan, "Plan written by 'keyturn plan'")->type_name("");
  command
      ->add_option("--journal", flags->journal, "Record of each change, written before it is made")
      ->required()
      ->type_name("FILE");
  command->add_flag("--auto-approve", flags->auto_approve, "Do not show the plan and ask");
  command
      ->add_option("--policy", flags->policy_path,
                   "Refuse a plan that was not made under this policy file")
      ->type_name("FILE");
  command->add_flag("--resume", flags->resume, "Go on with an interrupted run of this journal");
  AddApproval(command, *flags);
  AddBounds(command, *flags);
  AddCaller(command, flags->caller);
  AddRun(command, flags->run);
  AddChangeFormat(command, flags->format);
  AddRecord(command, flags->record);
  command->footer(
      "Examples:\n"
      "  keyturn apply rotation.plan --journal rotation.journal\n"
      "  keyturn apply rotation.plan --journal rotation.journal --auto-approve\n"
      "  keyturn apply r.plan --journal r.journal --approval-signature r.sig --allowed-signers "
      "who\n"
      "  keyturn apply rotation.plan --journal rotation.journal --first 20\n"
      "  keyturn apply --resume --journal rotation.journal --max-failure-rate 5\n"
      "  keyturn apply fleet.plan --journal fleet.journal --role-name KeyturnRemediate\n"
      "\nExit codes: 0 all done (of --first: those), 4 interrupted, 5 a change was refused or "
      "failed.");
  command->callback([&invocation, flags, engine] {
    CheckCaller(flags->caller);
    CheckRecord(flags->record);
    if (flags->approval_signature.empty() != flags->allowed_signers.empty()) {
      throw CLI::ValidationError("--approval-signature needs --allowed-signers");
    }
    if (flags->resume && !(flags->approve.empty() && flags->approval_signature.empty())) {
      throw CLI::ValidationError("--resume goes on with what the journal says was approved");
    }
    if (flags->resume && !flags->policy_path.empty()) {
      throw CLI::ValidationError("--resume goes on with what was planned; --policy checks PLAN");
    }
    if (flags->resume != flags->plan.empty()) {
      throw CLI::ValidationError(flags->resume ? "--resume goes on with the plan that the journal "
                                                 "names; do not give PLAN"
                                               : "PLAN is required, or --resume");
    }
    invocation.run = [flags, engine](const Terminal& terminal) {
      return RunApply(*flags, *engine(), terminal);
    };
  });
}

void AddApprove(CLI::App& app, Invocation& invocation, const MakeEngine& engine) {
  CLI::App* command =
      app.add_subcommand("approve", "Show a saved plan, and sign it for somebody who applies it");
  auto flags = std::make_shared<ApproveFlags>();
  command->add_option("PLAN", flags->plan, "Plan written by 'keyturn plan'")
      ->required()
      ->type_name("");
  CLI::Option* key =
      command
          ->add_option("--sign-key", flags->sign_key, "Sign with this OpenSSH Ed25519 private key")
          ->type_name("FILE");
  command->add_option("--out", flags->out, "File for the signature; else PLAN.sig")
      ->needs(key)
      ->type_name("FILE");
  command->add_flag("--auto-approve", flags->auto_approve, "Do not show the plan and ask")
      ->needs(key);
  command->footer(
      "Examples:\n"
      "  keyturn approve rotation.plan\n"
      "  keyturn approve rotation.plan --sign-key ~/.ssh/id_ed25519\n"
      "\nssh-keygen signs as well: the message is the plan's SHA-256, the namespace keyturn-plan.\n"
      "\nExit codes: 0 shown or signed, 5 not confirmed.");
  command->callback([&invocation, flags, engine] {
    invocation.run = [flags, engine](const Terminal& terminal) {
      return RunApprove(*flags, *engine(), terminal);
    };
  });
}

void AddVerify(CLI::App& app, Invocation& invocation, const MakeEngine& engine) {
  CLI::App* command =
      app.add_subcommand("verify", "Read back every key of a journal until its state is seen");
  auto flags = std::make_shared<VerifyFlags>();
  command->add_option("--journal", flags->journal, "Journal of the changes")
      ->required()
      ->type_name("FILE");
  AddCaller(command, flags->caller);
  AddRun(command, flags->run);
  AddChangeFormat(command, flags->format);
  AddRecord(command, flags->record);
  command->footer(
      "Example:\n"
      "  keyturn verify --journal rotation.journal\n"
      "\nExit codes: 0 every key is as wanted, 4 incomplete, 5 a key is not.");
  command->callback([&invocation, flags, engine] {
    CheckCaller(flags->caller);
    CheckRecord(flags->record);
    invocation.run = [flags, engine](const Terminal& terminal) {
      return RunVerify(*flags, *engine(), terminal);
    };
  });
}

void AddBackout(CLI::App& app, Invocation& invocation, const MakeEngine& engine) {
  CLI::App* command =
      app.add_subcommand("backout", "Take the changes of a journal back, and only those");
  auto flags = std::make_shared<BackoutFlags>();
  command->add_option("--journal", flags->journal, "Journal of the changes")
      ->required()
      ->type_name("FILE");
  command->add_option("--reason", flags->reason, "Why disabling rotation is justified; is recorded")
      ->required()
      ->type_name("TEXT");
  command->add_flag("--auto-approve", flags->auto_approve, "Do not ask");
  AddCaller(command, flags->caller);
  AddRun(command, flags->run);
  AddChangeFormat(command, flags->format);
  AddRecord(command, flags->record);
  command->footer(
      "Example:\n"
      "  keyturn backout --journal rotation.journal --reason 'batch job pins key material, "
      "OPS-77'\n"
      "\nA key whose state is no longer what was written is reported and left alone. Material "
      "that\n"
      "was rotated in the meantime stays.\n"
      "\nExit codes: 0 all restored, 4 interrupted, 5 a key was left alone or failed.");
  command->callback([&invocation, flags, engine] {
    CheckCaller(flags->caller);
    CheckRecord(flags->record);
    if (flags->reason.find_first_not_of(" \t\r\n") == std::string::npos) {
      throw CLI::ValidationError("--reason is empty");
    }
    invocation.run = [flags, engine](const Terminal& terminal) {
      return RunBackout(*flags, *engine(), terminal);
    };
  });
}

}  // namespace

void AddControlCommandsWith(const MakeEngine& engine, CLI::App& app, Invocation& invocation) {
  AddAudit(app, invocation, engine);
  AddPreflight(app, invocation, engine);
  AddPlan(app, invocation, engine);
  AddApprove(app, invocation, engine);
  AddApply(app, invocation, engine);
  AddVerify(app, invocation, engine);
  AddBackout(app, invocation, engine);
}

}  // namespace keyturn::cli
