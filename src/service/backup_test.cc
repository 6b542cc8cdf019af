// A backup is one that opens: what does not is refused, and leaves nothing.
#include "service/backup.h"

#include <gmock/gmock.h>

#include "service/key_material.h"
#include "service/service_fault_test.h"

namespace keyturn::service {
namespace {

using testing::HasSubstr;

class BackupTest : public ServiceFault {
 protected:
  void SetUp() override {
    ServiceFault::SetUp();
    MakeKey(key_);
    target_ = directory_ / "backup";
  }
  Result<Backup> Make() {
    return BackUp({.directory = directory_ / "data", .passphrase = {}, .target = target_});
  }
  // Prepare stores the next material of the key, of which the last byte may be another.
  void Prepare(std::uint8_t change) {
    ASSERT_TRUE(writer_->Run([&](Txn& txn) -> Status {
      const KeyPtr entry = txn.FindKey(key_.region, key_.id);
      const auto material = NewMaterial(*environment_, entry->key, 1, kStart);
      Material stored;
      stored.id = material->id;
      stored.generation = material->generation;
      stored.created = material->created;
      stored.sealed = material->sealed;
      stored.sealed.back() ^= change;
      txn.AddMaterial(entry->key, stored);
      return {};
    }));
  }

  KeyName key_;
  std::filesystem::path target_;
};

TEST_F(BackupTest, OpensMaterialsOfAllGenerations) {
  Prepare(0);
  const auto made = Make();
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->keys, 1U);
  EXPECT_EQ(made->materials, 2U);
  EXPECT_TRUE(std::filesystem::exists(target_ / "keyturn.db"));
}

TEST_F(BackupTest, AMaterialThatDoesNotOpenIsNamed) {
  Prepare(1);
  const auto made = Make();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(made.error().message, HasSubstr("material 1 of " + Find(key_)->key.arn()));
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    EXPECT_EQ(entry.path().filename(), "data");
  }
}

}  // namespace
}  // namespace keyturn::service
