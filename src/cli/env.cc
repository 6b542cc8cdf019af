// keyturn env
#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "cli/commands.h"
#include "cli/data_access.h"

namespace keyturn::cli {
namespace {

int RunEnv(const std::string& data_dir) {
  const auto access = ReadDataAccess(data_dir);
  if (!access) return ReportError("env", access.error());
  std::string text =
      "export AWS_ACCESS_KEY_ID=" + access->access_key_id +
      "\nexport AWS_SECRET_ACCESS_KEY=" + std::string(AsText(access->secret_access_key.reveal())) +
      "\nexport AWS_REGION=" + access->region + "\nexport AWS_DEFAULT_REGION=" + access->region +
      "\nexport AWS_ENDPOINT_URL_KMS=" + access->endpoint + "\n";
  const bool written = WriteOut(text);
  WipeMemory(text.data(), text.size());
  return written ? 0 : 1;
}

}  // namespace

void AddEnvCommand(CLI::App& app, Invocation& invocation) {
  CLI::App* command =
      app.add_subcommand("env", "Print the exports that point AWS's clients at a server");
  auto data_dir = std::make_shared<std::string>();
  command->add_option("--data-dir", *data_dir, "Directory of the server")
      ->required()
      ->type_name("DIR");
  command->footer("Examples:\n  eval \"$(keyturn env --data-dir ./data)\"");
  command->callback([&invocation, data_dir] {
    invocation.run = [data_dir](const Terminal&) { return RunEnv(*data_dir); };
  });
}

}  // namespace keyturn::cli
