// With SoftHSM 2 in a directory of the test's own, and with a module that misbehaves on demand
// (tests/pkcs11/bad_module.cc).
#include "hsm/cluster.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

namespace keyturn::hsm {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr const char* kSoftHsm = "/usr/lib/softhsm/libsofthsm2.so";
constexpr std::string_view kPin = "user-pin-1";
constexpr const char* kKey = "1234abcd-12ab-34cd-56ef-1234567890ab";

class ClusterTest : public testing::Test {
 protected:
  ClusterTest() {
    std::string pattern = (fs::temp_directory_path() / "keyturn-hsm-XXXXXX").string();
    root_ = mkdtemp(pattern.data());
    fs::create_directory(root_ / "tokens");
    std::ofstream(root_ / "softhsm2.conf")
        << "directories.tokendir = " << (root_ / "tokens").string()
        << "\nobjectstore.backend = file\nlog.level = ERROR\n";
    setenv("SOFTHSM2_CONF", (root_ / "softhsm2.conf").c_str(), 1);
    setenv("KEYTURN_BAD_MODULE_FILE", (root_ / "mode").c_str(), 1);
    const std::string command =
        "softhsm2-util --init-token --free --label kt --so-pin so-pin-1 "
        "--pin " +
        std::string(kPin) + " > /dev/null";
    EXPECT_EQ(std::system(command.c_str()), 0);
  }
  ~ClusterTest() override { fs::remove_all(root_); }

  static ClusterOptions Options(const char* module = kSoftHsm) {
    ClusterOptions options;
    options.id = "cluster-abcdefghijk";
    options.module = module;
    options.token = "kt";
    options.program = KEYTURN_TEST_WORKER;
    options.timeout = milliseconds(20000);
    return options;
  }

  void Misbehave(const std::string& how) const { std::ofstream(root_ / "mode") << how; }

  static Request Of(Action action, const char* key = kKey) {
    Request request;
    request.action = action;
    request.key = key;
    return request;
  }
  static Request Encrypt(std::string_view plaintext, std::string_view aad = "aad") {
    Request request = Of(Action::kEncrypt);
    request.iv = Bytes(12, 1);
    request.aad = Bytes(AsBytes(aad).begin(), AsBytes(aad).end());
    request.data = SecretBytes::CopyOf(AsBytes(plaintext));
    return request;
  }
  static Request Decrypt(const Reply& sealed, std::string_view aad = "aad") {
    Request request = Encrypt("", aad);
    request.action = Action::kDecrypt;
    request.iv = sealed.iv;
    request.data = SecretBytes::CopyOf(sealed.data.reveal());
    return request;
  }
  static ByteView Pin() { return AsBytes(kPin); }

  fs::path root_;
};

TEST_F(ClusterTest, MakesAKeyThatEncryptsAndDecrypts) {
  Cluster cluster(Options());
  ASSERT_TRUE(cluster.Probe().ok());
  ASSERT_TRUE(cluster.Login(Pin()).ok());
  EXPECT_EQ(cluster.Call(Of(Action::kFindKey), Pin()).outcome, Outcome::kNoKey);
  ASSERT_TRUE(cluster.Call(Of(Action::kMakeKey), Pin()).ok());
  EXPECT_FALSE(cluster.Call(Of(Action::kMakeKey), Pin()).ok()) << "a label is one key's";
  EXPECT_TRUE(cluster.Call(Of(Action::kFindKey), Pin()).ok());
  const Reply sealed = cluster.Call(Encrypt("plaintext"), Pin());
  ASSERT_TRUE(sealed.ok());
  EXPECT_EQ(sealed.data.size(), 9U + 16);
  const Reply opened = cluster.Call(Decrypt(sealed), Pin());
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(AsText(opened.data.reveal()), "plaintext");
  EXPECT_EQ(cluster.Call(Decrypt(sealed, "other"), Pin()).outcome, Outcome::kBadCiphertext);
  EXPECT_TRUE(cluster.Call(Decrypt(sealed), Pin()).ok()) << "and goes on after it";
  EXPECT_TRUE(cluster.Call(Of(Action::kDestroyKey), Pin()).ok());
  EXPECT_EQ(cluster.Call(Encrypt("x"), Pin()).outcome, Outcome::kNoKey);
  EXPECT_TRUE(cluster.Call(Of(Action::kDestroyKey), Pin()).ok()) << "gone is gone";
}

TEST_F(ClusterTest, EmptyAndLargestPlaintextsWork) {
  Cluster cluster(Options());
  ASSERT_TRUE(cluster.Call(Of(Action::kMakeKey), Pin()).ok());
  for (const std::size_t size : {0U, 1U, 4096U}) {
    const std::string plaintext(size, 'p');
    const Reply sealed = cluster.Call(Encrypt(plaintext), Pin());
    ASSERT_TRUE(sealed.ok()) << size << " " << OutcomeName(sealed.outcome);
    const Reply opened = cluster.Call(Decrypt(sealed), Pin());
    ASSERT_TRUE(opened.ok()) << size << " " << OutcomeName(opened.outcome);
    EXPECT_EQ(AsText(opened.data.reveal()), plaintext);
  }
}

TEST_F(ClusterTest, TheKeyIsSensitiveAndStaysInTheToken) {
  Cluster cluster(Options());
  ASSERT_TRUE(cluster.Call(Of(Action::kMakeKey), Pin()).ok());
  cluster.Logout();
  // SoftHSM's file has the attributes in clear: number and type (1: a boolean) in 8 bytes each,
  // then a byte.
  std::string file;
  for (const auto& entry : fs::recursive_directory_iterator(root_ / "tokens")) {
    if (entry.path().extension() == ".object" && entry.path().filename() != "token.object") {
      std::ifstream in(entry.path(), std::ios::binary);
      file.assign(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }
  }
  const auto value_of = [&](unsigned attribute) {
    std::string wanted(16, '\0');
    wanted[6] = static_cast<char>(attribute >> 8);
    wanted[7] = static_cast<char>(attribute);
    wanted[15] = 1;
    const std::size_t at = file.find(wanted);
    return at == std::string::npos ? -1
                                   : static_cast<int>(static_cast<unsigned char>(file.at(at + 16)));
  };
  constexpr unsigned kTokenAttribute = 0x0001;
  constexpr unsigned kPrivate = 0x0002;
  constexpr unsigned kSensitive = 0x0103;
  constexpr unsigned kExtractable = 0x0162;
  EXPECT_EQ(value_of(kTokenAttribute), 255);
  EXPECT_EQ(value_of(kPrivate), 255);
  EXPECT_EQ(value_of(kSensitive), 255);
  EXPECT_EQ(value_of(kExtractable), 0);
}

TEST_F(ClusterTest, RandomBytesComeFromTheToken) {
  Cluster cluster(Options());
  Request request = Of(Action::kRandom);
  request.count = 64;
  const Reply a = cluster.Call(request, Pin());
  const Reply b = cluster.Call(request, Pin());
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_EQ(a.data.size(), 64U);
  EXPECT_NE(AsText(a.data.reveal()), AsText(b.data.reveal()));
}

TEST_F(ClusterTest, WrongPinsAreToldAndNotTriedAgainByThemselves) {
  Cluster cluster(Options());
  EXPECT_EQ(cluster.Login(AsBytes("wrong-pin")).outcome, Outcome::kPinIncorrect);
  EXPECT_EQ(cluster.Call(Of(Action::kFindKey), Pin()).outcome, Outcome::kPinIncorrect)
      << "only Login tries";
  EXPECT_TRUE(cluster.Login(Pin()).ok());
  EXPECT_EQ(cluster.Call(Of(Action::kFindKey), Pin()).outcome, Outcome::kNoKey);
  EXPECT_EQ(cluster.Login(AsBytes("wrong-pin")).outcome, Outcome::kPinIncorrect)
      << "although somebody is logged in";
}

TEST_F(ClusterTest, WhatIsNotThereIsTold) {
  ClusterOptions options = Options();
  options.token = "another";
  EXPECT_EQ(Cluster(options).Probe().outcome, Outcome::kNoToken);
  options = Options("/nowhere/module.so");
  EXPECT_EQ(Cluster(options).Probe().outcome, Outcome::kNoModule);
  options = Options("/lib/x86_64-linux-gnu/libm.so.6");
  EXPECT_EQ(Cluster(options).Probe().outcome, Outcome::kNoModule) << "a library that is no module";
  options = Options();
  options.program = "/nowhere/program";
  EXPECT_EQ(Cluster(options).Probe().outcome, Outcome::kCrashed);
}

// Ask calls until the pause after a failure is over.
Reply Ask(Cluster& cluster, const Request& request, ByteView pin) {
  for (;;) {
    Reply reply = cluster.Call(request, pin);
    if (reply.outcome != Outcome::kBusy) return reply;
    std::this_thread::sleep_for(milliseconds(10));
  }
}

TEST_F(ClusterTest, ACrashIsAFailedCallAndTheNextOnesWork) {
  Cluster cluster(Options(KEYTURN_BAD_MODULE));
  ASSERT_TRUE(cluster.Call(Of(Action::kMakeKey), Pin()).ok());
  const pid_t first = cluster.worker_pid();
  Misbehave("crash encrypt");
  EXPECT_EQ(cluster.Call(Encrypt("x"), Pin()).outcome, Outcome::kCrashed);
  EXPECT_EQ(cluster.worker_pid(), 0) << "reaped";
  EXPECT_EQ(cluster.Call(Encrypt("x"), Pin()).outcome, Outcome::kBusy) << "not at once again";
  EXPECT_EQ(Ask(cluster, Encrypt("x"), Pin()).outcome, Outcome::kCrashed);
  Misbehave("");
  const Reply sealed = Ask(cluster, Encrypt("x"), Pin());
  ASSERT_TRUE(sealed.ok()) << OutcomeName(sealed.outcome);
  EXPECT_NE(cluster.worker_pid(), first);
  EXPECT_TRUE(cluster.Call(Decrypt(sealed), Pin()).ok()) << "the key outlived the process";
}

TEST_F(ClusterTest, ACallThatDoesNotReturnIsEndedInTime) {
  ClusterOptions options = Options(KEYTURN_BAD_MODULE);
  {
    Cluster maker(options);
    ASSERT_TRUE(maker.Call(Of(Action::kMakeKey), Pin()).ok());
  }
  options.timeout = milliseconds(1500);
  Cluster cluster(options);
  Misbehave("hang encrypt");
  EXPECT_EQ(Ask(cluster, Encrypt("x"), Pin()).outcome, Outcome::kTimedOut);
  EXPECT_EQ(cluster.worker_pid(), 0);
  Misbehave("");
  Reply reply = Ask(cluster, Encrypt("x"), Pin());
  for (int tries = 0; reply.outcome == Outcome::kTimedOut && tries < 10; ++tries) {
    reply = Ask(cluster, Encrypt("x"), Pin());  // a loaded machine may need several starts
  }
  EXPECT_TRUE(reply.ok()) << OutcomeName(reply.outcome);
}

TEST_F(ClusterTest, CrashesAtStartAndAtLoginAreFailedCalls) {
  Cluster cluster(Options(KEYTURN_BAD_MODULE));
  Misbehave("crash probe");
  EXPECT_EQ(cluster.Probe().outcome, Outcome::kCrashed);
  Misbehave("crash login");
  EXPECT_EQ(Ask(cluster, Of(Action::kFindKey), Pin()).outcome, Outcome::kCrashed);
  Misbehave("");
  EXPECT_EQ(Ask(cluster, Of(Action::kFindKey), Pin()).outcome, Outcome::kNoKey);
}

TEST_F(ClusterTest, NoiseFromTheWorkerIsNotBelieved) {
  Cluster cluster(Options(KEYTURN_BAD_MODULE));
  ASSERT_TRUE(cluster.Call(Of(Action::kMakeKey), Pin()).ok());
  Misbehave("garble encrypt");
  EXPECT_EQ(cluster.Call(Encrypt("x"), Pin()).outcome, Outcome::kCrashed);
  Misbehave("");
  EXPECT_TRUE(Ask(cluster, Encrypt("x"), Pin()).ok());
}

TEST_F(ClusterTest, ASessionThatTheTokenClosedIsOpenedAgain) {
  Cluster cluster(Options(KEYTURN_BAD_MODULE));
  ASSERT_TRUE(cluster.Call(Of(Action::kMakeKey), Pin()).ok());
  const pid_t worker = cluster.worker_pid();
  Misbehave("lose encrypt");
  EXPECT_EQ(cluster.Call(Encrypt("x"), Pin()).outcome, Outcome::kNotLoggedIn)
      << "it closes every session";
  Misbehave("");
  EXPECT_TRUE(cluster.Call(Encrypt("x"), Pin()).ok());
  EXPECT_EQ(cluster.worker_pid(), worker) << "in the same process";
}

TEST_F(ClusterTest, ManyCallersAreServedOrToldThatItIsBusy) {
  Cluster cluster(Options());
  ASSERT_TRUE(cluster.Call(Of(Action::kMakeKey), Pin()).ok());
  std::atomic<int> served{0};
  std::atomic<int> wrong{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 10; ++i) {
    callers.emplace_back([&] {
      for (int n = 0; n < 20; ++n) {
        const Reply sealed = Ask(cluster, Encrypt("mine"), Pin());
        const Reply opened = Ask(cluster, Decrypt(sealed), Pin());
        (opened.ok() && AsText(opened.data.reveal()) == "mine" ? served : wrong) += 1;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(served, 200);
  EXPECT_EQ(wrong, 0);
}

TEST_F(ClusterTest, AKilledWorkerIsReplaced) {
  Cluster cluster(Options());
  ASSERT_TRUE(cluster.Call(Of(Action::kMakeKey), Pin()).ok());
  kill(cluster.worker_pid(), SIGKILL);
  EXPECT_EQ(cluster.Call(Encrypt("x"), Pin()).outcome, Outcome::kCrashed);
  EXPECT_TRUE(Ask(cluster, Encrypt("x"), Pin()).ok());
}

}  // namespace
}  // namespace keyturn::hsm
