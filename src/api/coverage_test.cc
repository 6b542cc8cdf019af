// docs/api-coverage.md is made from the operations' own tables. UPDATE_GOLDEN=1 writes it again.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

#include "api/operation.h"

namespace keyturn::api {
namespace {

std::string Coverage() {
  const auto all = AllOperations();
  const auto served = std::count_if(all.begin(), all.end(),
                                    [](const OperationInfo& info) { return info.supported(); });
  std::string page = fmt::format(
      "# API coverage\n\n{} of {} operations are served.{}\n\n"
      "| Operation | Served | Why not |\n|---|---|---|\n",
      served, all.size(),
      served == std::ssize(all)
          ? ""
          : " The others answer UnsupportedOperationException with the reason.");
  for (const OperationInfo& info : all) {
    fmt::format_to(std::back_inserter(page), "| {} | {} | {} |\n", info.name,
                   info.supported() ? "yes" : "no", info.refusal);
  }
  return page;
}

TEST(GoldenCoverage, PageIsWhatTheTablesSay) {
  const std::string path = std::string(KEYTURN_SOURCE_DIR) + "/docs/api-coverage.md";
  const std::string page = Coverage();
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path) << page;
  }
  std::ifstream file(path);
  std::stringstream written;
  written << file.rdbuf();
  EXPECT_EQ(written.str(), page) << "run `make golden` and read the difference";
}

}  // namespace
}  // namespace keyturn::api
