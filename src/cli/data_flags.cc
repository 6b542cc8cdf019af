#include "cli/data_flags.h"

#include <CLI/CLI.hpp>

#include "service/files.h"

namespace keyturn::cli {

void AddDataFlags(CLI::App& command, DataFlags& flags) {
  command.add_option("--data-dir", flags.data_dir, "Directory of keys, trail and credentials")
      ->required()
      ->type_name("DIR");
  command
      .add_option("--passphrase-file", flags.passphrase_file,
                  "File whose first line opens the root key")
      ->type_name("FILE");
}

Result<std::optional<SecretBytes>> ReadPassphrase(const DataFlags& flags) {
  if (flags.passphrase_file.empty()) return std::optional<SecretBytes>();
  KT_ASSIGN(const SecretBytes text, service::ReadSmallFile(flags.passphrase_file));
  ByteView line = text.reveal();
  std::size_t end = 0;
  while (end < line.size() && line[end] != '\n' && line[end] != '\r') ++end;
  if (end == 0) {
    return Fail(ErrorCode::kUsage, flags.passphrase_file + " begins with an empty line");
  }
  return std::optional<SecretBytes>(SecretBytes::CopyOf(line.first(end)));
}

Result<model::AccountId> ParseAccount(const std::string& text) {
  const auto account = model::AccountId::Parse(text);
  if (!account) return Fail(ErrorCode::kUsage, "an account is 12 digits, not '" + text + "'");
  return *account;
}

}  // namespace keyturn::cli
