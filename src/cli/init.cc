// keyturn init
#include <CLI/CLI.hpp>
#include <memory>

#include "cli/commands.h"
#include "cli/data_flags.h"
#include "crypto/process.h"
#include "crypto/random.h"
#include "service/service.h"

namespace keyturn::cli {
namespace {

struct InitFlags {
  DataFlags data;
  std::string account = "000000000000";
  std::string region = "us-east-1";
  std::string admin_user = "admin";
};

Status Init(const InitFlags& flags) {
  KT_TRY(crypto::HardenProcess());
  service::InitOptions options;
  options.directory = flags.data.data_dir;
  KT_ASSIGN(options.account, ParseAccount(flags.account));
  if (!model::Region::IsValid(flags.region)) {
    return Fail(ErrorCode::kUsage, "'" + flags.region + "' is not the name of a region");
  }
  options.region = flags.region;
  options.admin_user = flags.admin_user;
  KT_ASSIGN(options.passphrase, ReadPassphrase(flags.data));
  return service::InitDataDirectory(options, SystemClock(), crypto::SystemRandom());
}

int RunInit(const InitFlags& flags) {
  if (const Status done = Init(flags); !done) return ReportError("init", done.error());
  const bool written =
      WriteOut("initialised " + flags.data.data_dir + "\ncredentials of user " + flags.admin_user +
               ": " + flags.data.data_dir + "/credentials\nnext: keyturn serve --data-dir " +
               flags.data.data_dir + " --listen 127.0.0.1:8181\n");
  return written ? 0 : 1;
}

}  // namespace

void AddInitCommand(CLI::App& app, Invocation& invocation) {
  CLI::App* command =
      app.add_subcommand("init", "Make a data directory: root key, account, first administrator");
  auto flags = std::make_shared<InitFlags>();
  AddDataFlags(*command, flags->data);
  command->add_option("--account", flags->account, "Account of the operator: 12 digits")
      ->capture_default_str()
      ->type_name("ID");
  command->add_option("--region", flags->region, "Region that `keyturn env` names")
      ->capture_default_str()
      ->type_name("REGION");
  command->add_option("--admin-user", flags->admin_user, "Name of the first administrator")
      ->capture_default_str()
      ->type_name("NAME");
  command->footer(
      "Examples:\n"
      "  keyturn init --data-dir /var/lib/keyturn --account 111122223333\n"
      "  keyturn init --data-dir ./data --passphrase-file passphrase.txt");
  command->callback([&invocation, flags] {
    invocation.run = [flags](const Terminal&) { return RunInit(*flags); };
  });
}

}  // namespace keyturn::cli
