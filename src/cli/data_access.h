// Data access: what a client on the server's own machine finds in its data directory: the endpoint
// that `keyturn serve` wrote, the region, and the first administrator's credentials.
#pragma once

#include <filesystem>
#include <string>

#include "base/error.h"
#include "base/secret.h"

namespace keyturn::cli {

struct DataAccess {
  std::string endpoint;
  std::string region;
  std::string access_key_id;
  SecretBytes secret_access_key;
};

// ReadDataAccess: kNotFound when a file is missing, naming it and what makes it.
Result<DataAccess> ReadDataAccess(const std::filesystem::path& data_dir);

}  // namespace keyturn::cli
