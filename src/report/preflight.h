// Preflight for reading: what is missing first, regions of an account that are alike together.
// Thread-safety: pure functions.
#pragma once

#include <string>

#include "control/preflight.h"
#include "report/report.h"

namespace keyturn::report {

// RenderPreflight ends with a newline.
std::string RenderPreflight(const control::PreflightRun& run, const TerminalStyle& style);

// RenderPreflightJson: docs/formats/preflight-json.md. Ends with a newline.
std::string RenderPreflightJson(const control::PreflightRun& run);

}  // namespace keyturn::report
