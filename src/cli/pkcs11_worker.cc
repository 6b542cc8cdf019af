// keyturn pkcs11-worker: not for people; `keyturn serve` starts it, one for each cluster.
#include <CLI/CLI.hpp>
#include <memory>

#include "cli/commands.h"
#include "crypto/process.h"
#include "hsm/worker.h"

namespace keyturn::cli {

void AddPkcs11WorkerCommand(CLI::App& app, Invocation& invocation) {
  CLI::App* command =
      app.add_subcommand("pkcs11-worker", "Run a PKCS#11 module apart from the server");
  command->group("");  // not in the help
  auto module = std::make_shared<std::string>();
  auto token = std::make_shared<std::string>();
  command->add_option("--module", *module, "Path of the module")->required();
  command->add_option("--token", *token, "Label of the token")->required();
  command->callback([&invocation, module, token] {
    invocation.run = [module, token](const Terminal&) {
      if (const Status hardened = crypto::HardenProcess(); !hardened) {
        return ReportError("pkcs11-worker", hardened.error());
      }
      return hsm::RunWorker(*module, *token);
    };
  });
}

}  // namespace keyturn::cli
