// keyturn backup
#include "service/backup.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cli/commands.h"
#include "cli/data_flags.h"
#include "crypto/process.h"

namespace keyturn::cli {
namespace {

struct BackupFlags {
  DataFlags data;
  std::string out;
  bool with_root_key = false;
};

Result<service::Backup> BackUp(const BackupFlags& flags) {
  KT_TRY(crypto::HardenProcess());
  service::BackupOptions options;
  options.directory = flags.data.data_dir;
  options.target = flags.out;
  options.with_root_key = flags.with_root_key;
  KT_ASSIGN(options.passphrase, ReadPassphrase(flags.data));
  return service::BackUp(options);
}

int RunBackup(const BackupFlags& flags) {
  const auto backup = BackUp(flags);
  if (!backup) {
    const int code = ReportError("backup", backup.error());
    return backup.error().code == ErrorCode::kCorrupt ? 3 : code;
  }
  std::string text = fmt::format(
      "backed up to {}: {} bytes\n"
      "opened: {} key materials of {} keys; verified: {} records of the trail, chain at {}\n",
      flags.out, backup->bytes, backup->materials, backup->keys, backup->trail.records,
      backup->trail.head.sequence);
  text += flags.with_root_key
              ? "root.key is in it: whoever reads it has the keys, unless a passphrase seals it.\n"
              : "root.key is not in it: keep that elsewhere; without it nothing of this opens.\n";
  return WriteOut(text) ? 0 : 1;
}

}  // namespace

void AddBackupCommand(CLI::App& app, Invocation& invocation) {
  CLI::App* command = app.add_subcommand("backup", "Copy a data directory, also one in use");
  auto flags = std::make_shared<BackupFlags>();
  AddDataFlags(*command, flags->data);
  command->add_option("--out", flags->out, "Directory to make; it must not exist")
      ->required()
      ->type_name("DIR");
  command->add_flag("--with-root-key", flags->with_root_key,
                    "Copy root.key and credentials, too: the backup opens by itself then");
  command->footer(
      "Examples:\n"
      "  keyturn backup --data-dir /var/lib/keyturn --out /backup/keyturn-2026-11-30\n"
      "\nThe server may be running. Every key material of the copy is opened and its trail "
      "verified\n"
      "before the directory gets its name. To restore: stop the server, move the data directory\n"
      "away, put the copy in its place with root.key, and start the server (docs/backup.md).\n"
      "\nExit codes: 0 done, 3 the copy is not sound.");
  command->callback([&invocation, flags] {
    invocation.run = [flags](const Terminal&) { return RunBackup(*flags); };
  });
}

}  // namespace keyturn::cli
