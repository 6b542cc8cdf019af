// Control commands: what the command line said, and the functions that do it. Each returns the exit
// code of the program (control/run.h) and has printed everything that there is to say.
#pragma once

#include <string>
#include <vector>

#include "cli/terminal.h"

namespace keyturn::cli {

// CallerFlags: as whom. Empty: from the environment and the files, as AWS's tools do it.
struct CallerFlags {
  std::string profile;
  std::string role_arn;  // to take on with the credentials found
  std::string external_id;
};

// ConnectionFlags: where to and as whom.
struct ConnectionFlags {
  std::string endpoint_url;
  std::vector<std::string> regions;
  CallerFlags caller;
  double quota_share = 0.3;
};

struct PolicyFlags {
  int max_period_days = 365;
  bool strict_disabled = false;
  std::string exceptions_path;
};

struct AuditFlags {
  ConnectionFlags connection;
  PolicyFlags policy;
  std::vector<std::string> formats;
  std::vector<std::string> outs;
  std::vector<std::string> journals;  // of changes to show in the HTML report
  bool all = false;
};

struct PlanFlags {
  ConnectionFlags connection;
  PolicyFlags policy;
  std::string out;
};

struct ApplyFlags {
  std::string plan;  // empty with resume
  std::string journal;
  CallerFlags caller;
  std::string format = "table";
  double quota_share = 0.3;
  bool auto_approve = false;
  bool resume = false;
};

struct VerifyFlags {
  std::string journal;
  CallerFlags caller;
  std::string format = "table";
  double quota_share = 0.3;
};

struct BackoutFlags {
  std::string journal;
  std::string reason;
  CallerFlags caller;
  std::string format = "table";
  double quota_share = 0.3;
  bool auto_approve = false;
};

class ControlEngine;

int RunAudit(const AuditFlags& flags, ControlEngine& engine, const Terminal& terminal);
int RunPlan(const PlanFlags& flags, ControlEngine& engine, const Terminal& terminal);
int RunApply(const ApplyFlags& flags, ControlEngine& engine, const Terminal& terminal);
int RunVerify(const VerifyFlags& flags, ControlEngine& engine, const Terminal& terminal);
int RunBackout(const BackoutFlags& flags, ControlEngine& engine, const Terminal& terminal);

}  // namespace keyturn::cli
