// Flags of the commands that open a data directory.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "base/secret.h"
#include "model/ids.h"

namespace CLI {
class App;
}  // namespace CLI

namespace keyturn::cli {

struct DataFlags {
  std::string data_dir;
  std::string passphrase_file;
};

void AddDataFlags(CLI::App& command, DataFlags& flags);

// ReadPassphrase: the file's first line; nullopt when no file was given.
Result<std::optional<SecretBytes>> ReadPassphrase(const DataFlags& flags);

// ParseAccount: 12 digits, else kUsage.
Result<model::AccountId> ParseAccount(const std::string& text);

}  // namespace keyturn::cli
