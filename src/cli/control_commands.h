// Control commands: what the command line said, and the functions that do it. Each returns the exit
// code of the program (control/run.h) and has printed everything that there is to say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/record_flags.h"
#include "cli/terminal.h"

namespace keyturn::cli {

// CallerFlags: as whom. Empty: from the environment and the files, as AWS's tools do it.
struct CallerFlags {
  std::vector<std::string> profiles;
  std::string role_arn;     // to take on with the credentials found
  std::string role_name;    // to take on, with those, in each account but their own
  std::string external_id;  // of either role
  std::string ca_bundle;
  std::string targets_path;  // says all of this in a file
};

// RunFlags: how a run that may take hours is paced, followed and ended.
struct RunFlags {
  double quota_share = 0.3;
  std::string deadline;           // "30m", "2h"; empty: none
  std::string progress = "auto";  // auto, line, plain, json, none
};

// ConnectionFlags: where to and as whom.
struct ConnectionFlags {
  std::string endpoint_url;
  std::vector<std::string> regions;  // or "all"
  std::vector<std::string> accounts;
  bool organization = false;
  CallerFlags caller;
  RunFlags run;
  std::string cache_path;
};

struct PolicyFlags {
  std::string policy_path;  // says the next two in a file, and more
  int max_period_days = 365;
  bool strict_disabled = false;
  std::string exceptions_path;  // in place of those that the policy file names
  bool read_tags = false;       // of keys that fail and can be put right, to tell whose they are
};

struct AuditFlags {
  ConnectionFlags connection;
  PolicyFlags policy;
  std::vector<std::string> formats;
  std::vector<std::string> outs;
  std::vector<std::string> journals;  // of changes to show in the HTML report
  std::string state_path;
  bool all = false;
  RecordFlags record;
};

struct PreflightFlags {
  ConnectionFlags connection;
  std::vector<std::string> phases;  // "audit", "apply", "backout"; empty: all
  bool no_write_trial = false;
  std::string format = "table";
};

struct PlanFlags {
  ConnectionFlags connection;
  PolicyFlags policy;
  std::string out;
  bool allow_iac_managed = false;
};

struct ApplyFlags {
  std::string plan;         // empty with resume
  std::string policy_path;  // that the plan must have been made under; empty: any
  std::string journal;
  CallerFlags caller;
  RunFlags run;
  std::string format = "table";
  bool auto_approve = false;
  std::string approve;             // hash of the plan that is approved
  std::string approval_signature;  // file: somebody's signature of the hash
  std::string allowed_signers;     // file: who may approve
  std::string shown_sha256;        // of the plan that was shown or approved; set by RunApply
  bool resume = false;
  std::optional<std::size_t> first;           // so many keys, read back
  std::optional<double> max_failure_percent;  // 0 to 100
  RecordFlags record;
};

struct ApproveFlags {
  std::string plan;
  std::string sign_key;  // empty: only show
  std::string out;       // of the signature; empty: the plan's name with .sig
  bool auto_approve = false;
};

struct VerifyFlags {
  std::string journal;
  CallerFlags caller;
  RunFlags run;
  std::string format = "table";
  RecordFlags record;
};

struct BackoutFlags {
  std::string journal;
  std::string reason;
  CallerFlags caller;
  RunFlags run;
  std::string format = "table";
  bool auto_approve = false;
  RecordFlags record;
};

// WatchFlags: how an audit is repeated, and what hears of it.
struct WatchFlags {
  ConnectionFlags connection;
  PolicyFlags policy;
  std::string every = "6h";
  double jitter = 0.1;
  std::uint64_t runs = 0;  // 0: until it is stopped
  std::string state_directory;
  std::string metrics_listen;  // empty: none
  std::string webhook;         // empty: none
  std::string webhook_secret;  // file
};

class ControlEngine;

int RunWatch(const WatchFlags& flags, ControlEngine& engine, const Terminal& terminal);
int RunAudit(const AuditFlags& flags, ControlEngine& engine, const Terminal& terminal);
int RunPreflight(const PreflightFlags& flags, ControlEngine& engine, const Terminal& terminal);
int RunPlan(const PlanFlags& flags, ControlEngine& engine, const Terminal& terminal);
int RunApply(const ApplyFlags& flags, ControlEngine& engine, const Terminal& terminal);
int RunApprove(const ApproveFlags& flags, ControlEngine& engine, const Terminal& terminal);
int RunVerify(const VerifyFlags& flags, ControlEngine& engine, const Terminal& terminal);
int RunBackout(const BackoutFlags& flags, ControlEngine& engine, const Terminal& terminal);

}  // namespace keyturn::cli
