// Is a last use ever lost in the process, half stored, or replaced by an older one, when the commit
// that stores it fails? After a crash the store has each key's use of before or of after, whole.
#include <gtest/gtest.h>

#include <array>

#include "service/service_fault_test.h"
#include "service/usage_saving.h"

namespace keyturn::service {
namespace {

class UsageFault : public ServiceFault {
 protected:
  // UsageOf: all of its parts say the same number.
  static LastUsage UsageOf(int n) {
    LastUsage usage{n % 2 == 0 ? "Encrypt" : "Decrypt", kStart + Millis(n)};
    usage.event_id.fill(static_cast<char>('a' + n));
    usage.request_id.fill(static_cast<char>('a' + n));
    return usage;
  }

  void SetUp() override {
    ServiceFault::SetUp();
    for (KeyName& name : names_) MakeKey(name);
  }

  void UseAll(int n) {
    for (const KeyName& name : names_) Use(name, n);
  }
  void Use(const KeyName& name, int n) { service_->tables().NoteUsage(*Find(name), UsageOf(n)); }
  // Save stores one key a commit.
  Status Save() { return SaveUsage(service_->tables(), *writer_, 1); }

  // Shown: the number of the use that a key has, which must be whole; -1 for none.
  int Shown(const KeyName& name) {
    const auto usage = Find(name)->materials->usage().Read();
    if (!usage) return -1;
    const int n = static_cast<int>((usage->date - kStart).count());
    EXPECT_EQ(usage->operation, UsageOf(n).operation);
    EXPECT_EQ(usage->event_id, UsageOf(n).event_id);
    EXPECT_EQ(usage->request_id, UsageOf(n).request_id);
    return n;
  }
  // CountShown: how many keys show use n; each of the others must show use other.
  std::size_t CountShown(int n, int other) {
    std::size_t count = 0;
    for (const KeyName& name : names_) {
      const int shown = Shown(name);
      EXPECT_TRUE(shown == n || shown == other) << shown;
      count += shown == n ? 1U : 0U;
    }
    return count;
  }

  std::array<KeyName, 3> names_;
};

TEST_F(UsageFault, EveryCommitFailsOnceAndTheNextSavingStoresAll) {
  UseAll(0);
  ASSERT_TRUE(Save());
  int n = 1;
  for (int step = 1; step <= 3; ++step) {
    SCOPED_TRACE(step);
    UseAll(n);
    faulty_->FailAt(step);
    EXPECT_FALSE(Save());
    EXPECT_TRUE(faulty_->failed());
    EXPECT_EQ(CountShown(n, n), names_.size()) << "the process has not forgotten";
    ASSERT_TRUE(Save()) << "without another use";
    Open();
    EXPECT_EQ(CountShown(n, n), names_.size());
    ++n;
  }
}

TEST_F(UsageFault, ACrashAfterAFailureLeavesEachUseWhole) {
  UseAll(0);
  ASSERT_TRUE(Save());
  for (int step = 1; step <= 3; ++step) {
    SCOPED_TRACE(step);
    UseAll(1);
    faulty_->FailAt(step);
    EXPECT_FALSE(Save());
    Open();
    EXPECT_EQ(CountShown(1, 0), static_cast<std::size_t>(step - 1));
    UseAll(0);  // an older use changes nothing
    ASSERT_TRUE(Save());
    Open();
    EXPECT_EQ(CountShown(1, 0), static_cast<std::size_t>(step - 1));
  }
}

TEST_F(UsageFault, AUseDuringACommitThatFailsIsTheOneThatIsStored) {
  UseAll(1);
  faulty_->before_commit = [&] { UseAll(2); };
  faulty_->FailAt(1);
  EXPECT_FALSE(Save());
  faulty_->before_commit = nullptr;
  EXPECT_EQ(CountShown(2, 2), names_.size());
  ASSERT_TRUE(Save());
  Open();
  EXPECT_EQ(CountShown(2, 2), names_.size());
}

TEST_F(UsageFault, AUseDuringACommitThatSucceedsIsStoredByTheNext) {
  UseAll(1);
  bool once = true;
  faulty_->before_commit = [&] {
    if (std::exchange(once, false)) UseAll(2);
  };
  ASSERT_TRUE(Save());
  ASSERT_TRUE(Save());
  Open();
  EXPECT_EQ(CountShown(2, 2), names_.size());
}

}  // namespace
}  // namespace keyturn::service
