// Control output: the reports of an audit, written where the command line asked.
#pragma once

#include <vector>

#include "base/error.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "control/run.h"
#include "report/report.h"

namespace keyturn::cli {

struct AuditOutput {
  std::vector<Output> outputs;
  report::HtmlOptions html;
  bool all = false;
};

// EmitAudit writes every report. All are tried; the first failure is returned.
Status EmitAudit(const control::AuditRun& run, const AuditOutput& output, const Terminal& terminal);

}  // namespace keyturn::cli
