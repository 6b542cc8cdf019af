// SampleRun: a recorded run with every verdict, every region status and hostile words, for tests.
#pragma once

#include "control/run.h"
#include "report/report.h"

namespace keyturn::report {

control::AuditRun SampleRun();
// CompliantRun: one region, all keys pass.
control::AuditRun CompliantRun();
// FleetRun: several accounts of AWS and one server of one's own, in several regions.
control::AuditRun FleetRun();
HtmlOptions SampleHtmlOptions();
ChangeReport SampleChange(ChangeKind kind);

}  // namespace keyturn::report
