// Output: which reports a command writes, where, and the writing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/pieces.h"

namespace keyturn::cli {

enum class Format {
  kTable,
  kJson,
  kCsv,
  kHtml,
  kJunit,
  kSarif,
  kOcsf,
  kPrometheus,
  kOscal,
  kAsff,
};

// Output: one report. An empty path is standard output.
struct Output {
  Format format = Format::kTable;
  std::string path;
};

// PlanOutputs pairs --format and --out values in order. A file without a format gets it from the
// end of its name (.json, .csv, .html, .htm, .txt, .xml, .sarif, .ndjson, .prom, .oscal.json,
// .asff.ndjson). When all reports go to
// files, the table goes to standard output as well, so that a run never looks silent. kUsage says
// what does not fit.
Result<std::vector<Output>> PlanOutputs(const std::vector<std::string>& formats,
                                        const std::vector<std::string>& paths);

// CheckWritable fails before the work is done if a file could not be written after it.
Status CheckWritable(const std::string& path);

// WriteFile writes a file whole or not at all: a reader never sees half a report.
Status WriteFile(const std::string& path, std::string_view text);
// The same of a text in pieces; also what the source fails with.
Status WriteFile(const std::string& path, const TextSource& source);

}  // namespace keyturn::cli
