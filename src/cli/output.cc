#include "cli/output.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "cli/terminal.h"

namespace keyturn::cli {
namespace {

struct FormatName {
  std::string_view name;
  Format format;
};
constexpr FormatName kFormats[] = {{"table", Format::kTable}, {"json", Format::kJson},
                                   {"csv", Format::kCsv},     {"html", Format::kHtml},
                                   {"junit", Format::kJunit}, {"sarif", Format::kSarif},
                                   {"ocsf", Format::kOcsf},   {"prometheus", Format::kPrometheus},
                                   {"oscal", Format::kOscal}, {"asff", Format::kAsff}};
// The longer endings come first.
constexpr FormatName kEndings[] = {
    {".oscal.json", Format::kOscal}, {".asff.json", Format::kAsff}, {".asff.ndjson", Format::kAsff},
    {".json", Format::kJson},        {".csv", Format::kCsv},        {".html", Format::kHtml},
    {".htm", Format::kHtml},         {".txt", Format::kTable},      {".text", Format::kTable},
    {".xml", Format::kJunit},        {".sarif", Format::kSarif},    {".ndjson", Format::kOcsf},
    {".prom", Format::kPrometheus}};

Result<Format> FormatNamed(const std::string& name) {
  for (const auto& known : kFormats) {
    if (known.name == name) {
      return known.format;
    }
  }
  return Fail(ErrorCode::kUsage,
              "--format '" + name +
                  "' is not known; use table, json, csv, html, junit, sarif, ocsf, oscal, asff "
                  "or prometheus");
}

Result<Format> FormatOfPath(const std::string& path) {
  for (const auto& known : kEndings) {
    if (path.size() > known.name.size() && path.ends_with(known.name)) {
      return known.format;
    }
  }
  return Fail(ErrorCode::kUsage, "the name '" + path +
                                     "' does not tell the format; add --format, or end it in "
                                     ".json, .csv, .html, .xml (JUnit), .sarif, .ndjson (OCSF), "
                                     ".oscal.json, .asff.ndjson, .prom or .txt");
}

std::string SystemText(int number) { return std::generic_category().message(number); }

ErrorCode CodeOf(int number) {
  switch (number) {
    case ENOSPC:
    case EDQUOT:
      return ErrorCode::kNoSpace;
    case EROFS:
    case EACCES:
    case EPERM:
      return ErrorCode::kReadOnly;
    default:
      return ErrorCode::kIo;
  }
}

Status WriteFailed(const std::string& path, int number) {
  return Fail(CodeOf(number), path + ": cannot be written: " + SystemText(number));
}

}  // namespace

Result<std::vector<Output>> PlanOutputs(const std::vector<std::string>& formats,
                                        const std::vector<std::string>& paths) {
  std::vector<Output> outputs;
  if (paths.empty()) {
    if (formats.size() > 1) {
      return Fail(ErrorCode::kUsage, "several --format need an --out for each");
    }
    Output output;
    if (!formats.empty()) {
      KT_ASSIGN(output.format, FormatNamed(formats.front()));
    }
    outputs.push_back(output);
    return outputs;
  }
  if (!formats.empty() && formats.size() != paths.size()) {
    return Fail(ErrorCode::kUsage,
                "give one --format for each --out, or none and let the names of the files tell");
  }
  bool to_standard_output = false;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    Output output{.format = Format::kTable, .path = paths[i] == "-" ? "" : paths[i]};
    if (!formats.empty()) {
      KT_ASSIGN(output.format, FormatNamed(formats[i]));
    } else if (!output.path.empty()) {
      KT_ASSIGN(output.format, FormatOfPath(output.path));
    }
    if (output.path.empty() && to_standard_output) {
      return Fail(ErrorCode::kUsage, "only one report can go to standard output");
    }
    to_standard_output = to_standard_output || output.path.empty();
    const bool twice = !output.path.empty() &&
                       std::any_of(outputs.begin(), outputs.end(), [&output](const Output& other) {
                         return other.path == output.path;
                       });
    if (twice) {
      return Fail(ErrorCode::kUsage, "--out '" + output.path + "' is given twice");
    }
    outputs.push_back(output);
  }
  if (!to_standard_output) {
    outputs.push_back(Output{});
  }
  return outputs;
}

Status CheckWritable(const std::string& path) {
  std::error_code error;
  const std::filesystem::path file(path);
  if (std::filesystem::is_directory(file, error)) {
    return Fail(ErrorCode::kUsage, path + ": is a directory");
  }
  const auto directory = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  if (!std::filesystem::is_directory(directory, error)) {
    return Fail(ErrorCode::kUsage, path + ": there is no directory " + directory.string());
  }
  if (access(directory.c_str(), W_OK) != 0) {
    return WriteFailed(path, errno);
  }
  return {};
}

Status WriteFile(const std::string& path, std::string_view text) {
  return WriteFile(path, WholeText(text));
}

Status WriteFile(const std::string& path, const TextSource& source) {
  // Devices and pipes cannot be replaced, only written.
  std::error_code ignored;
  const auto kind = std::filesystem::status(path, ignored).type();
  const bool in_place =
      kind != std::filesystem::file_type::regular && kind != std::filesystem::file_type::not_found;
  const std::string target = in_place ? path : path + ".part" + std::to_string(getpid());
  const int fd = open(target.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) {
    return WriteFailed(path, errno);
  }
  Status status = source([fd, &path](std::string_view text) -> Status {
    return WriteAll(fd, text) ? Status() : WriteFailed(path, errno);
  });
  const auto check = [&status, &path](bool done) {
    if (status && !done) status = WriteFailed(path, errno);
  };
  if (status && !in_place) check(fsync(fd) == 0);
  check(close(fd) == 0);
  if (status && !in_place) check(std::rename(target.c_str(), path.c_str()) == 0);
  if (!status && !in_place) unlink(target.c_str());
  return status;
}

}  // namespace keyturn::cli
