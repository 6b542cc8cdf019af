#include "console/jobs/job.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>

#include "base/log.h"
#include "console/jobs/job_book.h"
#include "console/jobs/job_progress.h"
#include "control/journal.h"

namespace keyturn::console {
namespace {

namespace fs = std::filesystem;
using control::ChangeOutcome;
using control::JournalEntry;
using control::Phase;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::string_view kId = "11111111-2222-4333-8444-555555555555";
const TimePoint kThen = *ParseIso8601("2026-11-25T10:00:00.123Z");

Job MakeJob() {
  Job job;
  job.id = kId;
  job.account = "111122223333";
  job.created = kThen;
  job.wanted = {true, 180};
  job.steps.push_back({Phase::kApply, "arn:aws:iam::111122223333:user/anna", "„jährlich“", kThen});
  job.steps.push_back({Phase::kBackout, "arn:aws:iam::111122223333:user/otto", "oops", kThen});
  job.state = JobState::kCancelled;
  job.counts = {10, 4, 1, 1, 2, 2, 4};
  return job;
}

control::Plan MakePlan(std::size_t keys) {
  control::Plan plan;
  plan.sha256 = "00";
  for (std::size_t i = 0; i < keys; ++i) {
    control::PlannedChange change;
    change.arn = "arn:aws:kms:us-east-1:111122223333:key/k" + std::to_string(i);
    change.region = "us-east-1";
    change.before.key_state = "Enabled";
    change.wanted = {true, 365};
    plan.changes.push_back(change);
  }
  return plan;
}

TEST(JobText, IsReadBackAsItWasWritten) {
  const Job job = MakeJob();
  const auto read = ParseJob(JobText(job));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(JobText(*read), JobText(job));
  EXPECT_EQ(read->counts, job.counts);
  EXPECT_EQ(read->created, kThen);
  EXPECT_TRUE(read->backing_out());
  EXPECT_EQ(read->owner(), "arn:aws:iam::111122223333:user/otto");
}

TEST(JobText, WhatIsWrongIsNamed) {
  const std::string good = JobText(MakeJob());
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    const auto read = ParseJob(text);
    return read ? "taken" : read.error().message;
  };
  EXPECT_THAT(with("\"cancelled\"", "\"gone\""), HasSubstr("'state'"));
  EXPECT_THAT(with(std::string(kId), "../../etc/passwd"), HasSubstr("'id'"));
  EXPECT_THAT(with("180", "1"), HasSubstr("'wanted'"));
  EXPECT_THAT(with("\"backout\"", "\"verify\""), HasSubstr("'phase'"));
  EXPECT_THAT(with("\"verified\": 4", "\"verified\": -4"), HasSubstr("'verified'"));
  EXPECT_THAT(with("keyturn-console-job", "keyturn-plan"), HasSubstr("'format'"));
  EXPECT_THAT(with("\"version\": 1", "\"version\": 2"), HasSubstr("newer version"));
}

JournalEntry Entry(JournalEntry::Kind kind, Phase phase, std::size_t index = 0,
                   ChangeOutcome outcome = ChangeOutcome::kPending, std::string detail = {},
                   bool uncertain = false) {
  JournalEntry entry;
  entry.kind = kind;
  entry.phase = phase;
  entry.index = index;
  entry.outcome = outcome;
  entry.detail = std::move(detail);
  entry.uncertain = uncertain;
  entry.prior.rotation = {index == 0, index == 0 ? std::optional<int>(730) : std::nullopt};
  entry.wanted = {true, 365};
  return entry;
}

TEST(JobProgress, TakingBackIsAboutOurWritesOnly) {
  using Kind = JournalEntry::Kind;
  control::Journal journal;
  journal.changes = MakePlan(5).changes;
  JobProgress progress(journal);
  EXPECT_EQ(progress.counts(), (JobCounts{5, 0, 0, 0, 0, 5, 0}));
  progress.Absorb(Entry(Kind::kBegin, Phase::kApply));
  for (std::size_t i = 0; i < 4; ++i) progress.Absorb(Entry(Kind::kIntent, Phase::kApply, i));
  progress.Absorb(Entry(Kind::kResult, Phase::kApply, 0, ChangeOutcome::kDone));
  progress.Absorb(Entry(Kind::kResult, Phase::kApply, 1, ChangeOutcome::kDone));
  // Refused by the endpoint: nothing of ours to take back. Without an answer: perhaps.
  progress.Absorb(Entry(Kind::kResult, Phase::kApply, 2, ChangeOutcome::kFailed, "denied"));
  progress.Absorb(Entry(Kind::kResult, Phase::kApply, 3, ChangeOutcome::kFailed, "lost", true));
  progress.Absorb(Entry(Kind::kResult, Phase::kApply, 4, ChangeOutcome::kUnchanged));
  progress.Absorb(Entry(Kind::kResult, Phase::kVerify, 0, ChangeOutcome::kDone, "seen"));
  progress.Absorb(Entry(Kind::kResult, Phase::kVerify, 1, ChangeOutcome::kFailed, "seen off"));
  EXPECT_EQ(progress.counts(), (JobCounts{5, 2, 1, 0, 2, 0, 1}));

  progress.Absorb(Entry(Kind::kBegin, Phase::kBackout));
  EXPECT_EQ(progress.counts(), (JobCounts{3, 0, 0, 0, 0, 3, 0}));
  EXPECT_EQ(control::SettingText(progress.keys()[0].wanted), "on, every 730 days");
  EXPECT_FALSE(progress.keys()[2].counts);
  progress.Absorb(Entry(Kind::kResult, Phase::kBackout, 0, ChangeOutcome::kDone,
                        std::string(control::kNotVerifiedYet)));
  EXPECT_EQ(progress.counts().verified, 0U);
  progress.Absorb(Entry(Kind::kResult, Phase::kBackout, 0, ChangeOutcome::kDone, "verified"));
  EXPECT_EQ(progress.counts().verified, 1U);
  // Taken up again, what is done stays done.
  progress.Absorb(Entry(Kind::kBegin, Phase::kBackout));
  EXPECT_EQ(progress.counts(), (JobCounts{3, 1, 0, 0, 0, 2, 1}));
}

class JobBookTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "job-book-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = fs::path(name) / "console-jobs";
  }
  void TearDown() override { fs::remove_all(directory_.parent_path()); }

  std::vector<std::string> Files() const {
    std::vector<std::string> names;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(directory_, ignored)) {
      names.push_back(entry.path().filename());
    }
    return names;
  }

  fs::path directory_;
  ManualClock clock_{kThen};
};

TEST_F(JobBookTest, JobsAreThereAfterARestart) {
  JobBook book(directory_);
  ASSERT_TRUE(book.Create(MakeJob(), MakePlan(3), clock_));
  const auto changed = book.Update(std::string(kId), [](Job& job) -> Status {
    job.state = JobState::kOpen;
    return {};
  });
  ASSERT_TRUE(changed);
  JobBook again(directory_);
  again.Load();
  ASSERT_THAT(again.List("111122223333"), SizeIs(1));
  EXPECT_THAT(again.Open(), SizeIs(1));
  EXPECT_THAT(again.List("999999999999"), IsEmpty());
  EXPECT_EQ(JobText(*again.Find(std::string(kId))), JobText(*changed));
  EXPECT_THAT(control::ReadJournal(again.JournalPath(std::string(kId)))->changes, SizeIs(3));
}

TEST_F(JobBookTest, WhatACrashLeftIsCleanedAndWhatIsForeignLeftAlone) {
  JobBook book(directory_);
  ASSERT_TRUE(book.Create(MakeJob(), MakePlan(1), clock_));
  const std::string orphan = "99999999-2222-4333-8444-555555555555";
  std::ofstream(directory_ / (orphan + ".journal")) << "half";
  std::ofstream(directory_ / (orphan.substr(1) + "0.job")) << "not a job";
  std::ofstream(directory_ / "notes.txt") << "mine";
  JobBook again(directory_);
  again.Load();
  EXPECT_THAT(again.List("111122223333"), SizeIs(1));
  EXPECT_FALSE(fs::exists(directory_ / (orphan + ".journal")));
  EXPECT_TRUE(fs::exists(directory_ / (orphan.substr(1) + "0.job")));
  EXPECT_TRUE(fs::exists(directory_ / "notes.txt"));
}

TEST_F(JobBookTest, ARefusedUpdateChangesNothing) {
  JobBook book(directory_);
  ASSERT_TRUE(book.Create(MakeJob(), MakePlan(1), clock_));
  const auto refused = book.Update(std::string(kId), [](Job& job) -> Status {
    job.state = JobState::kFinished;
    return Fail(ErrorCode::kConflictException, "no");
  });
  EXPECT_FALSE(refused);
  EXPECT_EQ(book.Find(std::string(kId))->state, JobState::kCancelled);
}

// FileSizeLimit makes every write beyond so many bytes of a file fail, as a full disk would.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
};

TEST_F(JobBookTest, AWriteThatFailsLeavesNothingHalf) {
  const std::size_t whole = std::max(control::JournalText(MakePlan(3), kThen, "console").size(),
                                     JobText(MakeJob()).size());
  std::size_t failed = 0;
  for (std::size_t bytes = 0; bytes < whole + 64; bytes += 64) {
    JobBook book(directory_);
    book.Load();
    Status made;
    {
      const FileSizeLimit limit(bytes);
      made = book.Create(MakeJob(), MakePlan(3), clock_);
    }
    if (made) {
      EXPECT_GE(bytes, whole);
      break;
    }
    ++failed;
    EXPECT_THAT(book.List("111122223333"), IsEmpty()) << bytes;
    EXPECT_THAT(Files(), IsEmpty()) << bytes;
  }
  EXPECT_GT(failed, 5U);

  JobBook book(directory_);
  book.Load();
  ASSERT_THAT(book.List("111122223333"), SizeIs(1));
  const std::string before = JobText(*book.Find(std::string(kId)));
  for (std::size_t bytes = 0; bytes < before.size(); bytes += 64) {
    const FileSizeLimit limit(bytes);
    EXPECT_FALSE(book.Update(std::string(kId), [](Job& job) -> Status {
      job.state = JobState::kFinished;
      return {};
    }));
    EXPECT_EQ(JobText(*book.Find(std::string(kId))), before);
  }
  JobBook again(directory_);
  again.Load();
  EXPECT_EQ(JobText(*again.Find(std::string(kId))), before);
}

TEST_F(JobBookTest, TheOldestStoppedJobsGoAndTooManyAtWorkAreRefused) {
  JobBook book(directory_);
  Job job = MakeJob();
  job.state = JobState::kOpen;
  for (std::size_t i = 0; i < JobBook::kOpenMax; ++i) {
    job.id = fmt::format("11111111-2222-4333-8444-{:012}", i);
    ASSERT_TRUE(book.Create(job, MakePlan(1), clock_));
  }
  job.id = kId;
  const Status refused = book.Create(job, MakePlan(1), clock_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kLimitExceededException);
  job.account = "999999999999";
  EXPECT_TRUE(book.Create(job, MakePlan(1), clock_));
}

}  // namespace
}  // namespace keyturn::console
