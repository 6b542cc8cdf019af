// Does every record of a committed change reach the trail, once, whatever fails in between and
// however many wait? And is nothing changed while they cannot be written?
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <string>

#include "service/service_fault_test.h"

namespace keyturn::service {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// FaultyTrail refuses appends when told to.
class FaultyTrail final : public trail::Trail {
 public:
  explicit FaultyTrail(trail::Trail& real) : real_(real) {}
  Status Append(std::string_view lines) override {
    if (fails) return Fail(ErrorCode::kNoSpace, "injected");
    Status appended = real_.Append(lines);
    ++appends;
    appends.notify_all();
    return appended;
  }
  Status Sync() override { return real_.Sync(); }
  trail::Head head() const override { return real_.head(); }
  std::uint64_t appended_bytes() const override { return real_.appended_bytes(); }
  Result<std::vector<std::string>> RecentEventIds(std::uint64_t bytes_max) const override {
    return real_.RecentEventIds(bytes_max);
  }

  std::atomic<bool> fails = false;
  std::atomic<int> appends = 0;

 private:
  trail::Trail& real_;
};

class TrailMoving : public ServiceFault {
 protected:
  void SetUp() override {
    ServiceFault::SetUp();
    Start();
  }
  void TearDown() override {
    writer_.reset();
    ServiceFault::TearDown();
  }

  void Start(std::vector<store::TrailRow> pending = {}) {
    writer_.reset();
    Open();
    writer_.reset();
    trail_ = std::make_unique<FaultyTrail>(service_->trail());
    writer_ = std::make_unique<Writer>(*faulty_, service_->tables(), *trail_, std::move(pending));
  }

  static store::TrailRow Row(const std::string& id, std::size_t bytes) {
    return {id, R"({"eventVersion":"1.11","eventID":")" + id + R"(","x":")" +
                    std::string(bytes, 'x') + R"("})"};
  }

  // Change makes a user and its record; the trail has the record if it works.
  Status Change(const std::string& name, std::size_t bytes = 100, bool with_record = true) {
    return writer_->Run([&](Txn& txn) -> Status {
      User user;
      user.row.name = name;
      user.row.user_id = name;
      txn.PutUser(std::make_shared<const User>(std::move(user)));
      store::TrailRow row = Row(name, bytes);
      if (with_record) txn.AddTrailLine(std::move(row.event_id), std::move(row.json));
      return {};
    });
  }
  bool Exists(const std::string& name) { return service_->tables().FindUser({}, name) != nullptr; }
  // Tidy returns when the writer has tidied.
  void Tidy() {
    writer_->TidyTrail();
    (void)writer_->Run([](Txn&) { return Status(); });
    (void)writer_->Run([](Txn&) { return Status(); });
  }

  // InTrail: how often each event is in the trail.
  std::map<std::string, int> InTrail() {
    std::map<std::string, int> counts;
    const auto ids = service_->trail().RecentEventIds(1ULL << 30);
    EXPECT_TRUE(ids);
    for (const std::string& id : *ids) ++counts[id];
    return counts;
  }
  // InStore: events whose records are in the store's table.
  std::vector<std::string> InStore() {
    std::vector<std::string> ids;
    store::Visitors visitors;
    visitors.trail = [&](store::TrailRow row) { ids.push_back(std::move(row.event_id)); };
    EXPECT_TRUE(faulty_->Load(visitors));
    return ids;
  }

  std::unique_ptr<FaultyTrail> trail_;
};

TEST_F(TrailMoving, NothingChangesWhileRecordsCannotBeWritten) {
  ASSERT_TRUE(Change("before"));
  trail_->fails = true;
  ASSERT_TRUE(Change("found-out"));  // its record is durable in the store
  for (const char* name : {"refused", "refused-too"}) {
    const Status changed = Change(name);
    ASSERT_FALSE(changed);
    EXPECT_EQ(changed.error().code, ErrorCode::kKMSInternalException);
    EXPECT_FALSE(Exists(name));
  }
  EXPECT_TRUE(Change("unaudited", 0, false));
  trail_->fails = false;
  ASSERT_TRUE(Change("after"));
  const std::map<std::string, int> expected = {{"before", 1}, {"found-out", 1}, {"after", 1}};
  EXPECT_EQ(InTrail(), expected);
  Start();
  EXPECT_EQ(InTrail(), expected);
  EXPECT_TRUE(Exists("found-out"));
  EXPECT_TRUE(Exists("unaudited"));
  EXPECT_FALSE(Exists("refused"));
}

TEST_F(TrailMoving, AFlushIsRefusedToo) {
  trail_->fails = true;
  ASSERT_TRUE(Change("found-out"));
  EXPECT_FALSE(writer_->Run([&](Txn& txn) -> Status {
    store::TrailRow row = Row("refused", 100);
    txn.AddTrailLine(std::move(row.event_id), std::move(row.json));
    return txn.Flush();
  }));
  trail_->fails = false;
  Start();
  EXPECT_EQ(InTrail(), (std::map<std::string, int>{{"found-out", 1}}));
}

TEST_F(TrailMoving, RecordsThatWaitAreTriedWithoutAChange) {
  trail_->fails = true;
  ASSERT_TRUE(Change("waits"));
  trail_->fails = false;
  writer_->TidyTrail();
  trail_->appends.wait(0);  // hangs, and the test times out, if it is not tried
  EXPECT_EQ(InTrail()["waits"], 1);
}

TEST_F(TrailMoving, MoreThanOneAppendTakesIsMovedInPieces) {
  std::vector<store::TrailRow> pending;
  for (int i = 0; i < 35; ++i) pending.push_back(Row(std::to_string(i), 2U << 20));
  pending.push_back(Row("long", 6U << 20));
  Start(std::move(pending));
  ASSERT_TRUE(Change("after"));
  EXPECT_EQ(trail_->appends, 37);  // two of the 2 MiB are more than a piece
  const auto counts = InTrail();
  EXPECT_EQ(counts.size(), 37U);
  for (const auto& [id, count] : counts) EXPECT_EQ(count, 1) << id;
}

TEST_F(TrailMoving, MovedRecordsLeaveTheStoreBeforeTheTrailHasGrownFar) {
  ASSERT_TRUE(Change("a"));
  EXPECT_THAT(InStore(), ElementsAre("a"));
  const std::string line = Row("read", 4U << 20).json + "\n";
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(service_->trail().Append(line));
  Tidy();
  EXPECT_THAT(InStore(), IsEmpty());
}

TEST_F(TrailMoving, WhatARestartFindsInTheTrailIsForgotten) {
  store::Change change;
  change.insert_trail = {Row("written", 100), Row("unwritten", 100)};
  ASSERT_TRUE(faulty_->Commit({&change, 1}));
  ASSERT_TRUE(service_->trail().Append(change.insert_trail[0].json + "\n"));
  Start();
  (void)service_->writer().Run([](Txn&) { return Status(); });
  EXPECT_EQ(InTrail(), (std::map<std::string, int>{{"written", 1}, {"unwritten", 1}}));
  EXPECT_THAT(InStore(), IsEmpty());
}

}  // namespace
}  // namespace keyturn::service
