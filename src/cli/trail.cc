// keyturn trail verify
#include "trail/trail.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cli/commands.h"
#include "cli/data_flags.h"
#include "service/service.h"

namespace keyturn::cli {
namespace {

Result<trail::Verification> Verify(const DataFlags& flags) {
  service::OpenOptions options;
  options.directory = flags.data_dir;
  KT_ASSIGN(options.passphrase, ReadPassphrase(flags));
  KT_ASSIGN(const service::TrailAccess access, service::OpenTrailAccess(options));
  return trail::Verify(options.directory, access.key, access.at_least);
}

int RunVerify(const DataFlags& flags) {
  const auto verified = Verify(flags);
  if (!verified) {
    const int code = ReportError("trail verify", verified.error());
    return verified.error().code == ErrorCode::kCorrupt ? 3 : code;
  }
  std::string text = fmt::format("intact: {} records in {} segments, chain at {}\n",
                                 verified->records, verified->segments, verified->head.sequence);
  if (verified->has_redo_log) {
    text +=
        "redo.log is there: a server with --trail-sync always runs, or died. If its machine died, "
        "too, records\nmay be missing until it has been started once: verify then.\n";
  }
  return WriteOut(text) ? 0 : 1;
}

}  // namespace

void AddTrailCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* trail = app.add_subcommand("trail", "The audit trail");
  trail->require_subcommand(1);
  trail->footer("Example:\n  keyturn trail verify --data-dir /var/lib/keyturn");
  CLI::App* command = trail->add_subcommand(
      "verify", "Check that no record of the trail was changed, removed or reordered");
  auto flags = std::make_shared<DataFlags>();
  AddDataFlags(*command, *flags);
  command->footer(
      "Example:\n"
      "  keyturn trail verify --data-dir /var/lib/keyturn\n"
      "\nThe server may be running: what it wrote until now is checked.\n"
      "\nExit codes: 0 intact, 3 not.");
  command->callback([&invocation, flags] {
    invocation.run = [flags](const Terminal&) { return RunVerify(*flags); };
  });
}

}  // namespace keyturn::cli
