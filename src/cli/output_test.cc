// Outputs: formats and files are paired as a reader of the command line expects, and a file is
// written whole or not at all.
#include "cli/output.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace keyturn::cli {
namespace {

using Names = std::vector<std::string>;

std::string Described(const Names& formats, const Names& paths) {
  const auto outputs = PlanOutputs(formats, paths);
  if (!outputs) {
    return "refused";
  }
  std::string text;
  for (const auto& output : *outputs) {
    constexpr const char* kNames[] = {"table", "json", "csv", "html"};
    text += (text.empty() ? "" : " ") + std::string(kNames[static_cast<int>(output.format)]) + ":" +
            (output.path.empty() ? "stdout" : output.path);
  }
  return text;
}

TEST(PlanOutputs, NothingAskedIsTheTable) { EXPECT_EQ(Described({}, {}), "table:stdout"); }

TEST(PlanOutputs, AFormatAloneGoesToStandardOutput) {
  EXPECT_EQ(Described({"json"}, {}), "json:stdout");
  EXPECT_EQ(Described({"json", "csv"}, {}), "refused");
  EXPECT_EQ(Described({"yaml"}, {}), "refused");
}

TEST(PlanOutputs, ANameTellsTheFormat) {
  EXPECT_EQ(Described({}, {"a.html"}), "html:a.html table:stdout");
  EXPECT_EQ(Described({}, {"a.json", "b.csv"}), "json:a.json csv:b.csv table:stdout");
  EXPECT_EQ(Described({}, {"a.pdf"}), "refused");
  EXPECT_EQ(Described({}, {"report"}), "refused");
}

TEST(PlanOutputs, FormatsAndFilesArePairedInOrder) {
  EXPECT_EQ(Described({"html"}, {"report"}), "html:report table:stdout");
  EXPECT_EQ(Described({"json", "html"}, {"-", "r"}), "json:stdout html:r");
  EXPECT_EQ(Described({"json"}, {"a", "b"}), "refused");
}

TEST(PlanOutputs, RefusesWhatWouldOverwriteItself) {
  EXPECT_EQ(Described({}, {"a.csv", "a.csv"}), "refused");
  EXPECT_EQ(Described({"json", "csv"}, {"-", "-"}), "refused");
}

class Files : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "/outputXXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string Path(const char* name) const { return directory_ + "/" + name; }
  static std::string Contents(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::size_t FileCount() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(directory_),
                                                  std::filesystem::directory_iterator{}));
  }

  std::string directory_;
};

TEST_F(Files, AreReplacedWhole) {
  ASSERT_TRUE(WriteFile(Path("r.txt"), "long first text"));
  ASSERT_TRUE(WriteFile(Path("r.txt"), "second"));
  EXPECT_EQ(Contents(Path("r.txt")), "second");
  EXPECT_EQ(FileCount(), 1U);
}

TEST_F(Files, AFailureNamesTheFileAndLeavesNothing) {
  const auto status = WriteFile(Path("missing/r.txt"), "x");
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find("missing/r.txt"), std::string::npos);
  EXPECT_EQ(FileCount(), 0U);
}

TEST_F(Files, ComeInPiecesWholeOrNotAtAll) {
  ASSERT_TRUE(WriteFile(Path("r.txt"), [](const TextSink& sink) -> Status {
    KT_TRY(sink("one "));
    return sink("two");
  }));
  const auto broken = WriteFile(Path("r.txt"), [](const TextSink& sink) -> Status {
    KT_TRY(sink("half"));
    return Fail(ErrorCode::kInternal, "no more");
  });
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().message, "no more");
  EXPECT_EQ(Contents(Path("r.txt")), "one two");
  EXPECT_EQ(FileCount(), 1U);
}

TEST_F(Files, AreCheckedBeforeTheWork) {
  EXPECT_TRUE(CheckWritable(Path("r.txt")));
  EXPECT_FALSE(CheckWritable(Path("missing/r.txt")));
  EXPECT_FALSE(CheckWritable(directory_));
}

TEST(WriteFile, AFullDeviceIsNoSuccess) {
  const auto status = WriteFile("/dev/full", "x");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kNoSpace);
}

}  // namespace
}  // namespace keyturn::cli
