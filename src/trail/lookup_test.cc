#include "trail/lookup.h"

#include <gtest/gtest.h>

#include <fstream>

namespace keyturn::trail {
namespace {

class LookupTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = std::filesystem::path(testing::TempDir()) /
                 testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_ / "trail");
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(directory_ / "trail" / name, std::ios::binary) << text;
  }
  // Read returns what is visited, at most limit records.
  std::vector<std::string> Read(std::optional<Place>& place, std::size_t limit) const {
    std::vector<std::string> seen;
    auto next = ReadBackwards(directory_, place, 1 << 30, [&](std::string_view line, const Place&) {
      seen.emplace_back(line);
      return seen.size() < limit;
    });
    EXPECT_TRUE(next) << next.error().message;
    place = next ? *next : std::nullopt;
    return seen;
  }

  std::filesystem::path directory_;
};

constexpr char kFirst[] = "00000000000000000001.jsonl";
constexpr char kSecond[] = "00000000000000000007.jsonl";

TEST_F(LookupTest, ReadsNewestFirstOverSegmentsAndPages) {
  Write(kFirst, "{\"eventVersion\":1}\n{\"eventVersion\":2}\n");
  Write(kSecond, "{\"eventVersion\":3}\n{\"eventVersion\":4}\n{\"eventVer");
  std::optional<Place> place;
  EXPECT_EQ(Read(place, 3),
            (std::vector<std::string>{"{\"eventVersion\":4}", "{\"eventVersion\":3}",
                                      "{\"eventVersion\":2}"}));
  ASSERT_TRUE(place);
  EXPECT_EQ(Read(place, 3), std::vector<std::string>{"{\"eventVersion\":1}"});
  EXPECT_FALSE(place);
}

TEST_F(LookupTest, LinesMayBeLongerThanABlock) {
  const std::string line = "{\"eventVersion\":\"" + std::string(700 << 10, 'x') + "\"}";
  Write(kFirst, "{}\n" + line + "\n" + line + "\n");
  std::optional<Place> place;
  EXPECT_EQ(Read(place, 9), (std::vector<std::string>{line, line, "{}"}));
}

TEST_F(LookupTest, StopsAfterTheBytesAndGoesOnFromThere) {
  std::string text;
  for (int i = 0; i < 60000; ++i) text += "{\"eventVersion\":" + std::to_string(i) + "}\n";
  Write(kFirst, text);
  std::optional<Place> place;
  int expected = 59999;
  int rounds = 0;
  do {
    auto next = ReadBackwards(directory_, place, 1, [&](std::string_view line, const Place&) {
      EXPECT_EQ(line, "{\"eventVersion\":" + std::to_string(expected--) + "}");
      return true;
    });
    ASSERT_TRUE(next);
    place = *next;
    ++rounds;
  } while (place);
  EXPECT_EQ(expected, -1);
  // Blocks of 256 KiB: each is read once or twice, never once a line.
  EXPECT_GT(rounds, 3);
  EXPECT_LT(rounds, 12);
}

TEST_F(LookupTest, AnUnknownPlaceIsRefusedAndNoTrailIsEmpty) {
  const RecordVisitor visit = [](std::string_view, const Place&) { return true; };
  auto none = ReadBackwards(directory_, std::nullopt, 100, visit);
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
  Write(kFirst, "{}\n");
  EXPECT_FALSE(ReadBackwards(directory_, Place{2, 0}, 100, visit));
  EXPECT_FALSE(ReadBackwards(directory_, Place{1, 4}, 100, visit));
}

}  // namespace
}  // namespace keyturn::trail
