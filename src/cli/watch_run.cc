// keyturn watch: what control/watch.h needs of the world: the engine, a webhook, metrics, signals.
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "cli/app.h"
#include "cli/control_commands.h"
#include "cli/control_engine.h"
#include "cli/interrupt.h"
#include "cli/metrics_server.h"
#include "cli/progress.h"
#include "cli/webhook_flags.h"
#include "control/exceptions.h"
#include "control/watch.h"
#include "crypto/random.h"

namespace keyturn::cli {
namespace {

// A time of day that is moved (or set) is noticed this soon.
constexpr int kLookEveryMillis = 200;

// StateDirectory: made, and locked for as long as it lives: two watches would undo each other's
// memory.
class StateDirectory {
 public:
  static Result<StateDirectory> Open(const std::string& path) {
    if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
      return Fail(ErrorCode::kUsage, "cannot make " + path + ": " + ErrnoText());
    }
    const std::string lock = (std::filesystem::path(path) / "lock").string();
    StateDirectory directory(open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (directory.fd_ < 0)
      return Fail(ErrorCode::kUsage, "cannot open " + lock + ": " + ErrnoText());
    if (flock(directory.fd_, LOCK_EX | LOCK_NB) != 0) {
      return Fail(ErrorCode::kUsage, path + ": another keyturn watch has it");
    }
    return directory;
  }
  ~StateDirectory() {
    if (fd_ >= 0) close(fd_);
  }
  StateDirectory(StateDirectory&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  StateDirectory& operator=(StateDirectory&&) = delete;

 private:
  explicit StateDirectory(int fd) : fd_(fd) {}
  static std::string ErrnoText() { return std::generic_category().message(errno); }
  int fd_;
};

class Port final : public control::WatchPort {
 public:
  Port(WatchFlags flags, ControlEngine& engine, const Terminal& terminal, const Clock& clock)
      : flags_(std::move(flags)), engine_(engine), terminal_(terminal), clock_(clock) {}

  std::optional<http::Webhook> webhook;
  std::unique_ptr<MetricsServer> metrics;

  Result<control::WatchRules> Rules() override {
    KT_ASSIGN(const auto policy, engine_.PolicyOf(flags_.policy));
    control::WatchRules rules;
    if (policy) rules = {policy->watch, policy->sha256};
    KT_ASSIGN(const std::string exceptions, engine_.ExceptionsPathOf(flags_.policy));
    if (!exceptions.empty()) {
      KT_ASSIGN(const auto list, control::ReadExceptions(exceptions));
      rules.exceptions_sha256 = list.sha256;
    }
    flags_.policy.read_tags = rules.bounds.apply;  // what infrastructure code owns is left to it
    return rules;
  }

  Result<control::AuditRun> Audit() override {
    ProgressShow show(flags_.connection.run.progress, terminal_);
    auto run = engine_.Audit(flags_.connection, flags_.policy, {}, {}, WatchOf(show));
    show.Clear();
    if (run) run->tool_version = ToolVersion();
    return run;
  }

  Result<control::WatchedChanges> Apply(const control::AuditRun& run,
                                        const std::set<std::string>& arns,
                                        const std::string& journal) override {
    PlanFlags plan;
    plan.connection = flags_.connection;
    plan.policy = flags_.policy;
    plan.out = PlanOf(journal);
    KT_TRY(engine_.PlanFor(run, plan, arns));
    return Change(journal, false);
  }

  Result<control::WatchedChanges> Resume(const std::string& journal) override {
    std::error_code ignored;
    if (!std::filesystem::exists(journal, ignored)) return control::WatchedChanges{};
    return Change(journal, true);
  }

  Status Send(const control::WatchEvent& event) override {
    return webhook->Send(event.id, event.body, stopping_);
  }

  void WaitUntil(TimePoint when) override {
    // The wait ends early with a signal.
    while (!stopping_ && clock_.Now() < when) poll(nullptr, 0, kLookEveryMillis);
  }
  bool IsStopping() const override { return stopping_; }

  void Publish(const control::WatchStatus& status, const control::AuditRun* run) override {
    if (run != nullptr) audit_metrics_ = report::RenderPrometheus(*run);
    if (metrics) metrics->Set(audit_metrics_ + report::RenderWatchMetrics(status));
  }

  void Tell(std::string_view what) override {
    PrintError("watch", FormatIso8601(clock_.Now()) + " " + std::string(what));
  }

 private:
  static std::string PlanOf(const std::string& journal) {
    return std::filesystem::path(journal).replace_extension(".plan").string();
  }

  Watch WatchOf(ProgressShow& show) const {
    Watch watch;
    watch.cancelled = &stopping_;
    watch.progress = [&show](const control::Progress& progress) { show.Show(progress); };
    if (const auto time = ParseDuration(flags_.connection.run.deadline)) {
      watch.deadline = clock_.Now() + *time;
    }
    return watch;
  }

  Result<control::WatchedChanges> Change(const std::string& journal, bool resume) {
    ApplyFlags apply;
    apply.resume = resume;
    if (!resume) apply.plan = PlanOf(journal);
    apply.policy_path = resume ? std::string() : flags_.policy.policy_path;
    apply.journal = journal;
    apply.caller = flags_.connection.caller;
    apply.run = flags_.connection.run;
    apply.auto_approve = true;
    ProgressShow show(apply.run.progress, terminal_);
    const auto done = engine_.Apply(apply, WatchOf(show));
    show.Clear();
    if (!done) return Fail(done.error());
    control::WatchedChanges changes;
    changes.done = report::CountOutcome(*done, report::Outcome::kDone) +
                   report::CountOutcome(*done, report::Outcome::kUnchanged);
    changes.failed = report::CountOutcome(*done, report::Outcome::kFailed) +
                     report::CountOutcome(*done, report::Outcome::kRefused);
    changes.pending = report::CountOutcome(*done, report::Outcome::kPending);
    return changes;
  }

  WatchFlags flags_;
  ControlEngine& engine_;
  const Terminal& terminal_;
  const Clock& clock_;
  const std::atomic<bool>& stopping_ = CatchInterrupts();
  std::string audit_metrics_;
};

Status RunWatchWith(const WatchFlags& flags, ControlEngine& engine, const Terminal& terminal) {
  const SystemClock clock;
  control::WatchOptions options;
  KT_ASSIGN(options.every, ParseDuration(flags.every));
  options.jitter = flags.jitter;
  options.runs_max = flags.runs;
  options.notify = !flags.webhook.empty();
  options.state_path = (std::filesystem::path(flags.state_directory) / "state").string();
  options.journal_directory = flags.state_directory;
  Port port(flags, engine, terminal, clock);
  KT_TRY(port.Rules());  // a mistake in the policy file is told before anything is made
  if (options.notify) {
    KT_ASSIGN(const auto target, ReadWebhook("--webhook", flags.webhook, flags.webhook_secret));
    KT_ASSIGN(port.webhook, http::Webhook::Open(target));
  }
  KT_ASSIGN(const auto directory, StateDirectory::Open(flags.state_directory));
  KT_ASSIGN(auto state, control::WatchState::Read(options.state_path));
  if (!flags.metrics_listen.empty()) {
    KT_ASSIGN(port.metrics, MetricsServer::Start(flags.metrics_listen));
    if (!WriteOut("metrics " + port.metrics->url() + "\n")) {
      return Fail(ErrorCode::kIo, "standard output cannot be written");
    }
  }
  control::Watcher watcher(std::move(options), std::move(state), port, clock,
                           crypto::SystemRandom());
  return watcher.Run();
}

}  // namespace

int RunWatch(const WatchFlags& flags, ControlEngine& engine, const Terminal& terminal) {
  const Status done = RunWatchWith(flags, engine, terminal);
  return done ? control::kExitCompliant : ReportError("watch", done.error());
}

}  // namespace keyturn::cli
