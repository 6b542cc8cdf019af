// Is what init makes whole or refused, and does a person whose init was interrupted learn what to
// do?
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "crypto/random.h"
#include "service/root_key.h"
#include "service/service.h"

namespace keyturn::service {
namespace {

using testing::HasSubstr;

class Init : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/keyturn-init-XXXXXX";
    directory_ = ::mkdtemp(name);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  Status Make() {
    InitOptions options;
    options.directory = directory_;
    return InitDataDirectory(options, clock_, crypto::SystemRandom());
  }
  std::string Refusal() {
    const Status made = Make();
    EXPECT_FALSE(made);
    if (made) return {};
    EXPECT_EQ(made.error().code, ErrorCode::kConflict);
    return made.error().message;
  }
  std::string Serve() {
    const auto opened =
        Service::Open({.directory = directory_, .passphrase = {}}, clock_, crypto::SystemRandom());
    return opened ? "" : opened.error().message;
  }
  bool Has(std::string_view file) { return std::filesystem::exists(directory_ / file); }
  void Remove(std::string_view file) { ASSERT_TRUE(std::filesystem::remove(directory_ / file)); }

  ManualClock clock_{FromEpochMillis(1'800'000'000'000)};
  std::filesystem::path directory_;
};

TEST_F(Init, ASecondOneIsRefusedAndChangesNothing) {
  ASSERT_TRUE(Make());
  EXPECT_THAT(Refusal(), HasSubstr("initialised already"));
  EXPECT_EQ(Serve(), "");
}

TEST_F(Init, ARootKeyWithoutDatabaseIsLeftAndExplained) {
  ASSERT_TRUE(CreateRootKey(directory_, std::nullopt, crypto::SystemRandom()));
  EXPECT_THAT(Refusal(),
              HasSubstr("remove " + (directory_ / kRootKeyFile).string() + " and run init again"));
  EXPECT_TRUE(Has(kRootKeyFile));
  Remove(kRootKeyFile);
  ASSERT_TRUE(Make());
  EXPECT_EQ(Serve(), "");
}

TEST_F(Init, ADatabaseWithoutRootKeyGetsNone) {
  ASSERT_TRUE(Make());
  Remove(kRootKeyFile);
  EXPECT_THAT(Refusal(), HasSubstr("restore root.key"));
  EXPECT_FALSE(Has(kRootKeyFile));
}

// The credentials cannot be written: what is there then is not served.
TEST_F(Init, AnUnfinishedOneIsNeitherServedNorTakenForWhole) {
  std::filesystem::create_symlink("nowhere", directory_ / "credentials");
  EXPECT_FALSE(Make());
  EXPECT_TRUE(Has("keyturn.db"));
  EXPECT_THAT(Serve(), HasSubstr("did not finish; remove the directory"));
  EXPECT_THAT(Refusal(), HasSubstr("did not finish; remove the directory"));
}

TEST_F(Init, FilesOfOthersAreNotReplaced) {
  std::ofstream(directory_ / "credentials") << "mine";
  EXPECT_THAT(Refusal(), HasSubstr("does not replace"));
  EXPECT_FALSE(Has(kRootKeyFile));
}

}  // namespace
}  // namespace keyturn::service
