// RunJson: reads a recorded run back from its JSON, docs/formats/audit-json.md, so that it can be
// rendered, compared and checked without asking any endpoint again.
//
// Limits: 1 GiB of text, a million keys, 64 KiB a text. What is not known is ignored; what is there
// must have the right form. Totals are counted anew and must be those that are recorded.
// Thread-safety: pure functions, but for ReadRun.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "control/run.h"

namespace keyturn::control {

inline constexpr std::string_view kAuditFormat = "keyturn.audit.v1";

// ParseRun: kUsage naming place and member; kNewerFormat for a version that is not known.
Result<AuditRun> ParseRun(std::string_view text, std::string_view place);

// ReadRun reads a file of it; with a directory, the audit.json in it: of an evidence bundle, which
// is not checked here.
Result<AuditRun> ReadRun(const std::string& path);

}  // namespace keyturn::control
