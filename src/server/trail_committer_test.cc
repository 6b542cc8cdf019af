// Does every append of every loop get its own answer, in the trail's order, and is what comes
// during a slow append taken together?
#include "server/trail_committer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <string>
#include <utility>

namespace keyturn::server {
namespace {

using testing::ElementsAre;

// GatedTrail records its appends; the first waits until the gate opens.
class GatedTrail final : public trail::Trail {
 public:
  Status Append(std::string_view lines) override {
    if (appends.empty()) {
      entered.set_value();
      gate.get_future().wait();
    }
    appends.emplace_back(lines);
    return answer;
  }
  Status Sync() override { return {}; }
  trail::Head head() const override { return {}; }
  std::uint64_t appended_bytes() const override { return 0; }
  Result<std::vector<std::string>> RecentEventIds(std::uint64_t) const override {
    return std::vector<std::string>();
  }

  std::promise<void> entered;
  std::promise<void> gate;
  std::vector<std::string> appends;
  Status answer;
};

// Give appends text and looks whether it has been taken.
void Give(TrailCommitter& committer, std::string lines, TrailCommitter::Done done) {
  committer.Append(lines, std::move(done));
  EXPECT_EQ(lines, "");
}

TEST(TrailCommitter, WhatComesDuringAnAppendGoesIntoTheNext) {
  GatedTrail trail;
  std::vector<int> done;
  {
    TrailCommitter committer(trail);
    Give(committer, "a\n", [&](const Status& written) { done.push_back(written ? 1 : -1); });
    trail.entered.get_future().wait();
    Give(committer, "b\n", [&](const Status& written) { done.push_back(written ? 2 : -2); });
    Give(committer, "c\n", [&](const Status& written) { done.push_back(written ? 3 : -3); });
    trail.gate.set_value();
  }
  EXPECT_THAT(trail.appends, ElementsAre("a\n", "b\nc\n"));
  EXPECT_THAT(done, ElementsAre(1, 2, 3));
}

TEST(TrailCommitter, AFailureReachesEveryoneWhoWaited) {
  GatedTrail trail;
  trail.answer = Fail(ErrorCode::kIo, "disk full");
  trail.gate.set_value();
  int failed = 0;
  {
    TrailCommitter committer(trail);
    for (int i = 0; i < 5; ++i) {
      Give(committer, "x\n", [&](const Status& written) { failed += written ? 0 : 1; });
    }
  }
  EXPECT_EQ(failed, 5);
}

}  // namespace
}  // namespace keyturn::server
