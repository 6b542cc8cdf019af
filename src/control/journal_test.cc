// The journal: its file, and the process that ends at any write of it.
#include "control/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "control/change_bench.h"

namespace keyturn::control {
namespace {

using testing::ElementsAre;

TEST_F(ChangeTest, AJournalIsNeverOverwritten) {
  kms.Add({.id = "off"});
  const Plan plan = MakeTestPlan();
  Journalize(plan);
  const std::string text = JournalFile();
  const auto again = CreateJournal(path_, plan, clock, "test");
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, ErrorCode::kUsage);
  EXPECT_EQ(JournalFile(), text);
  std::ofstream(path_ + "2").flush();  // an empty file, as mktemp makes it
  EXPECT_TRUE(CreateJournal(path_ + "2", plan, clock, "test").has_value());
}

TEST_F(ChangeTest, OneWriterAtATime) {
  kms.Add({.id = "off"});
  Journalize(MakeTestPlan());
  const auto journal = ReadJournal(path_);
  const auto first = OpenJournal(*journal);
  ASSERT_TRUE(first.has_value());
  const auto second = OpenJournal(*journal);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::kLocked);
}

TEST_F(ChangeTest, AJournalThatHasGrownMeanwhileIsReadAgainFirst) {
  kms.Add({.id = "off"});
  Journalize(MakeTestPlan());
  const auto old = ReadJournal(path_);
  Do(Applying());
  const auto sink = OpenJournal(*old);
  ASSERT_FALSE(sink.has_value());
  EXPECT_EQ(sink.error().code, ErrorCode::kConflict);
}

TEST_F(ChangeTest, ATornLastLineIsCutOffAndGarbageInsideIsNamed) {
  kms.Add({.id = "off"});
  Journalize(MakeTestPlan());
  Do(Applying());
  const std::string whole = JournalFile();
  for (std::size_t cut = whole.find('\n', whole.find('\n') + 1) + 1; cut < whole.size(); ++cut) {
    const auto journal = ParseJournal(whole.substr(0, cut), "j");
    ASSERT_TRUE(journal.has_value()) << cut << journal.error().message;
    EXPECT_EQ(journal->valid_bytes, whole.rfind('\n', cut - 1) + 1);
  }
  std::string broken = whole;
  const auto at = broken.find("\"intent\"");
  broken.replace(at, 8, "\"intend\"");
  const auto journal = ParseJournal(broken, "j");
  ASSERT_FALSE(journal.has_value());
  EXPECT_EQ(journal.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(journal.error().message, "j:4: member 'record' is missing or wrong");
}

TEST_F(ChangeTest, OtherFilesAreNoJournals) {
  for (const char* text : {"", "\n", "{}\n", "x\n", "{\"format\":\"other\"}\n", "no line break"}) {
    const auto journal = ParseJournal(text, "j");
    ASSERT_FALSE(journal.has_value()) << text;
    EXPECT_EQ(journal.error().code, ErrorCode::kUsage) << text;
  }
  const auto newer = ParseJournal("{\"format\":\"keyturn-journal\",\"version\":4}\n", "j");
  EXPECT_EQ(newer.error().code, ErrorCode::kNewerFormat);
}

// OfVersion1 is a journal as the version before accounts and endpoints were changes' own wrote it.
std::string OfVersion1(std::string text) {
  const std::string member = "\"endpoint_url\":\"" + std::string(kUrl) + "\",";
  for (auto at = text.find(member); at != std::string::npos; at = text.find(member)) {
    text.erase(at, member.size());
  }
  const std::string version = "\"version\":3,";
  text.replace(text.find(version), version.size(), "\"version\":1," + member);
  return text;
}

TEST_F(ChangeTest, JournalsOfVersion1AreRead) {
  kms.Add({.id = "off"});
  Journalize(MakeTestPlan());
  const std::string old = OfVersion1(JournalFile());
  ASSERT_NE(old, JournalFile());
  std::ofstream(path_) << old;
  EXPECT_EQ(ReadJournal(path_)->changes[0].endpoint_url, kUrl);
  EXPECT_THAT(Lines(Do(Applying())), ElementsAre("off done"));
  EXPECT_THAT(Lines(Do(BackingOut())), ElementsAre("off done"));
}

TEST_F(ChangeTest, ForeignBytesDoNotMakeAJournalUnreadable) {
  kms.Add({.id = "off"});
  Journalize(MakeTestPlan());
  kms.intercept = [](const FakeCall& call) -> std::optional<FakeKms::Reply> {
    if (call.operation != "EnableKeyRotation") return std::nullopt;
    auto reply = FakeKms::Denied(call);
    reply->headers[0].second = "\xFF\xC0\x80 id";
    return reply;
  };
  Do(Applying());
  EXPECT_TRUE(ReadJournal(path_).has_value());
}

TEST_F(ChangeTest, AJournalTellsItsStory) {
  kms.Add({.id = "a"});
  kms.Add({.id = "b"});
  Journalize(MakeTestPlan());
  DenyEnabling("a");
  Do(Applying());
  kms.intercept = nullptr;
  Do(Applying());
  Do(Verifying());
  Do(BackingOut("why not"));
  const auto records = RecordsOf(*ReadJournal(path_));
  ASSERT_EQ(records.size(), 4U);
  EXPECT_THAT(Lines(records[0]), ElementsAre("a failed", "b done"));
  EXPECT_THAT(Lines(records[1]), ElementsAre("a done"));
  EXPECT_THAT(Lines(records[2]), ElementsAre("a done", "b done"));
  EXPECT_THAT(Lines(records[3]), ElementsAre("a done", "b done"));
  EXPECT_EQ(records[3].reason, "why not");
  EXPECT_EQ(SettingText(records[3].lines[0].wanted), "off");
  EXPECT_FALSE(records[3].cancelled);
}

TEST_F(ChangeTest, ADirectoryThatIsNotThereIsAnErrorAndLeavesNothing) {
  kms.Add({.id = "off"});
  const Plan plan = MakeTestPlan();
  EXPECT_FALSE(CreateJournal(directory_ + "/no/j", plan, clock, "test").has_value());
  EXPECT_FALSE(WritePlan(plan, directory_ + "/no/p").has_value());
  EXPECT_FALSE(CreateJournal(directory_, plan, clock, "test").has_value());
  EXPECT_TRUE(std::filesystem::is_empty(directory_));
}

// --- The process ends at any write ---------------------------------------------------------------

// DyingSink is the process that ends at the n-th write of the journal: the write is lost or torn,
// and nothing more happens.
class DyingSink final : public JournalSink {
 public:
  DyingSink(JournalSink& real, std::string path, int writes_left, bool torn)
      : real_(real), path_(std::move(path)), left_(writes_left), torn_(torn) {}

  Status Append(const std::vector<JournalEntry>& entries) override {
    if (left_-- > 0) return real_.Append(entries);
    if (torn_ && left_ == -1) {
      std::string text;
      for (const JournalEntry& entry : entries) AppendEntryText(entry, text);
      std::ofstream(path_, std::ios::app) << text.substr(0, text.size() / 2);
    }
    return Fail(ErrorCode::kIo, "the process has ended");
  }
  bool died() const { return left_ < 0; }

 private:
  JournalSink& real_;
  const std::string path_;
  int left_;
  const bool torn_;
};

class DeathTest : public ChangeTest, public testing::WithParamInterface<bool> {
 protected:
  // DieAt runs a phase whose process ends at its n-th write; false when it got through.
  bool DieAt(int n, const PhaseFunction& phase) {
    bool died = false;
    const auto record = Run([&](const Journal& journal, JournalSink& sink, const ChangeContext& c) {
      DyingSink dying(sink, path_, n, GetParam());
      auto result = phase(journal, dying, c);
      died = dying.died();
      EXPECT_EQ(result.has_value(), !died);
      return result;
    });
    Reconnect();
    return died;
  }
  void NewFleet() {
    kms.keys.clear();
    kms.calls.clear();
    for (int i = 0; i < 3; ++i) kms.Add({.id = "off" + std::to_string(i)});
    kms.Add({.id = "long", .enabled = true, .period = 730});
    kms.Add({.id = "good", .enabled = true, .period = 200});
    std::filesystem::remove(path_);
    Journalize(MakeTestPlan());
    kms.calls.clear();
  }
  // Every key of ours is as given, and the bystander as ever.
  void ExpectFleet(bool applied) {
    for (int i = 0; i < 3; ++i) EXPECT_EQ(Key("off" + std::to_string(i)).enabled, applied);
    EXPECT_EQ(Key("long").period, applied ? 365 : 730);
    EXPECT_EQ(Key("good").period, 200);
  }
};

TEST_P(DeathTest, ApplyIsResumedFromEveryWrite) {
  int writes = 0;
  for (bool died = true; died; ++writes) {
    NewFleet();
    died = DieAt(writes, Applying());
    // A call without an intent on disk must not have been made.
    const auto journal = ReadJournal(path_);
    ASSERT_TRUE(journal.has_value()) << journal.error().message;
    std::size_t intents = 0;
    for (const JournalEntry& entry : journal->entries) {
      if (entry.kind == JournalEntry::Kind::kIntent) ++intents;
    }
    EXPECT_LE(kms.Count("EnableKeyRotation"), intents);
    const ChangeRecord record = Do(Applying());
    EXPECT_EQ(record.Count(ChangeOutcome::kDone), 4U) << "after write " << writes;
    ExpectFleet(true);
    // All of it is known as ours.
    EXPECT_EQ(Do(BackingOut()).Count(ChangeOutcome::kDone), 4U) << "after write " << writes;
    ExpectFleet(false);
  }
  EXPECT_GT(writes, 3);
}

TEST_P(DeathTest, AFewKeysFirstAreResumedFromEveryWrite) {
  const PhaseFunction first = [](const Journal& j, JournalSink& s, const ChangeContext& c) {
    return Apply(j, s, c, {.first = 2, .max_failure_percent = 0});
  };
  int writes = 0;
  for (bool died = true; died; ++writes) {
    NewFleet();
    died = DieAt(writes, first);
    EXPECT_LE(kms.Count("EnableKeyRotation"), 2U);
    EXPECT_EQ(Do(Applying()).Count(ChangeOutcome::kDone), 4U) << "after write " << writes;
    ExpectFleet(true);
    EXPECT_EQ(Do(BackingOut()).Count(ChangeOutcome::kDone), 4U) << "after write " << writes;
    ExpectFleet(false);
  }
  EXPECT_GT(writes, 4);
}

TEST_P(DeathTest, BackoutIsResumedFromEveryWrite) {
  int writes = 0;
  for (bool died = true; died; ++writes) {
    NewFleet();
    Do(Applying());
    died = DieAt(writes, BackingOut());
    const ChangeRecord record = Do(BackingOut("again"));
    EXPECT_EQ(record.Count(ChangeOutcome::kDone) + record.Count(ChangeOutcome::kUnchanged), 4U)
        << "after write " << writes;
    ExpectFleet(false);
    EXPECT_EQ(ChangeExitCode(Do(Verifying())), kExitCompliant);
  }
  EXPECT_GT(writes, 4);
}

INSTANTIATE_TEST_SUITE_P(LostOrTorn, DeathTest, testing::Bool(), [](const auto& row) {
  return row.param ? std::string("Torn") : std::string("Lost");
});

}  // namespace
}  // namespace keyturn::control
