#include "control/change_loop.h"

#include <algorithm>
#include <map>
#include <utility>

namespace keyturn::control {
namespace {

using Kind = JournalEntry::Kind;

constexpr std::size_t kKeysUnderWayMax = 2048;
// Keys of one region. Few where writes are paced, for a key is to be read just before its write.
constexpr std::size_t kChangesPerRegionMax = 16;
constexpr std::size_t kReadsPerRegionMax = 64;
constexpr int kReadsInARow = 2;
constexpr Millis kPumpWait{100};
// A run that is stopped waits this long for calls under way, so that their outcome is known.
constexpr Millis kStopPatience{10000};

std::string_view PhaseText(Phase phase) {
  switch (phase) {
    case Phase::kApply:
      return "applying";
    case Phase::kVerify:
      return "verifying";
    case Phase::kBackout:
      return "backing out";
  }
  return "working";
}

}  // namespace

ChangeLine LineOf(const PlannedChange& change) {
  ChangeLine line;
  line.endpoint_url = change.endpoint_url;
  line.arn = change.arn;
  line.account = change.account;
  line.region = change.region;
  line.before = change.before.rotation;
  line.wanted = change.wanted;
  return line;
}

ChangeLoop::ChangeLoop(const Journal& journal, JournalSink& sink, const ChangeContext& context,
                       Phase phase)
    : journal_(journal),
      context_(context),
      histories_(HistoriesOf(journal)),
      sink_(sink),
      phase_(phase) {
  lines_.reserve(journal.changes.size());
  for (const PlannedChange& each : journal.changes) {
    lines_.push_back(control::LineOf(each));
  }
}

ChangeLine& ChangeLoop::LineOf(std::size_t index) { return lines_[index]; }

Result<ChangeRecord> ChangeLoop::Run(const std::vector<std::size_t>& indexes,
                                     const std::string& reason) {
  ChangeRecord record;
  record.phase = phase_;
  record.journal = journal_.path;
  record.plan_sha256 = journal_.header.plan_sha256;
  if (phase_ == Phase::kApply && journal_.header.approval) {
    record.approval = ApprovalText(*journal_.header.approval);
  }
  record.reason = reason;
  record.started = context_.clock.Now();
  JournalEntry begin;
  begin.phase = phase_;
  begin.time = *record.started;
  begin.reason = reason;
  begin.first = first_;
  entries_.push_back(begin);

  const Status worked = Work(indexes);
  if (!worked) {
    // Calls that are under way end as cancelled; what they did is found by reading when resumed.
    broken_ = true;
    context_.access.CancelAll();
    while (context_.access.Pump(Millis(0)) > 0) {
    }
    return Fail(worked.error());
  }
  record.finished = context_.clock.Now();
  record.cancelled = stopping_;
  if (!why_stopped_.empty()) record.notes.push_back(why_stopped_);
  record.lines = std::move(lines_);
  return record;
}

// Sort puts the keys into the queues of their regions.
void ChangeLoop::Sort(const std::vector<std::size_t>& indexes) {
  std::map<std::pair<std::string_view, std::string_view>, Account*> accounts;
  std::map<std::pair<const Account*, std::string_view>, std::size_t> places;
  place_of_.resize(journal_.changes.size());
  for (const std::size_t index : indexes) {
    const PlannedChange& planned = change(index);
    Account*& account = accounts[{planned.endpoint_url, planned.account}];
    if (account == nullptr) {
      account = accounts_.emplace_back(std::make_unique<Account>()).get();
      account->target.endpoint_url = planned.endpoint_url;
      account->target.account = planned.account;
    }
    const auto [place, is_new] = places.try_emplace({account, planned.region}, places_.size());
    if (is_new) {
      account->target.regions.push_back(planned.region);
      account->places.push_back(places_.size());
      places_.push_back({account, {}, 0});
    }
    place_of_[index] = place->second;
    places_[place->second].queue.push_back(index);
    ++account->left;
  }
}

void ChangeLoop::OpenNext() {
  while (!stopping_ && open_ < context_.access.open_max() && next_account_ < accounts_.size()) {
    Account& account = *accounts_[next_account_++];
    ++open_;
    context_.access.Begin(account.target,
                          [this, &account](const auto& opened) { OnOpened(account, opened); });
  }
}

void ChangeLoop::OnOpened(Account& account,
                          const tl::expected<Access::Open, Target::Closed>& opened) {
  if (opened) {
    account.client = opened->client;
    return;
  }
  for (const std::size_t place : account.places) {
    for (const std::size_t index : std::exchange(places_[place].queue, {})) {
      // A write of an interrupted run may have taken effect; that it cannot be looked at now does
      // not settle it.
      const KeyHistory& history = histories_[index];
      const bool uncertain =
          phase_ == Phase::kBackout ? history.backout_write.has_value() : history.write.has_value();
      if (!stopping_) {
        Note(index, ChangeOutcome::kFailed, opened.error().detail, {}, uncertain);
        Settled(ChangeOutcome::kFailed);
      }
      ++done_;
    }
  }
  account.left = 0;
  --open_;
}

void ChangeLoop::StartKeys() {
  const std::size_t per_region =
      phase_ == Phase::kVerify ? kReadsPerRegionMax : kChangesPerRegionMax;
  while (first_open_ < next_account_ && accounts_[first_open_]->left == 0 &&
         accounts_[first_open_]->client == nullptr) {
    ++first_open_;
  }
  for (std::size_t i = first_open_; i < next_account_; ++i) {
    Account& account = *accounts_[i];
    if (account.client == nullptr) continue;
    for (const std::size_t at : account.places) {
      while (!stopping_ && !places_[at].queue.empty() && places_[at].under_way < per_region &&
             under_way_ < kKeysUnderWayMax) {
        const std::size_t index = places_[at].queue.front();
        places_[at].queue.pop_front();
        ++places_[at].under_way;
        ++under_way_;
        Start(index);
      }
    }
    // Nothing more will be asked of an account that is through, or of any once the run is stopped.
    const bool idle = std::all_of(account.places.begin(), account.places.end(),
                                  [this](std::size_t at) { return places_[at].under_way == 0; });
    if (account.left == 0 || (stopping_ && idle)) {
      context_.access.Close(std::exchange(account.client, nullptr));
      --open_;
    }
  }
}

// Ended: a key is not under way any more.
void ChangeLoop::Ended(std::size_t index) {
  Place& place = places_[place_of_[index]];
  --place.under_way;
  --place.account->left;
  --under_way_;
}

Status ChangeLoop::Work(const std::vector<std::size_t>& indexes) {
  ProgressMeter meter(context_.monitor, context_.clock, context_.access, PhaseText(phase_));
  Sort(indexes);
  for (;;) {
    CheckCancelled();
    OpenNext();
    StartKeys();
    KT_TRY(Flush());
    meter.Report(done_, indexes.size(), true);
    if (open_ == 0 && (stopping_ || next_account_ == accounts_.size())) break;
    context_.access.Pump(kPumpWait);
  }
  if (stopping_) return {};
  JournalEntry end;
  end.kind = Kind::kEnd;
  end.phase = phase_;
  end.time = context_.clock.Now();
  entries_.push_back(end);
  return Flush();
}

void ChangeLoop::Stop(std::string why) {
  if (stopping_) return;
  stopping_ = true;
  stopped_ = context_.clock.Now();
  why_stopped_ = std::move(why);
  JournalEntry stop;
  stop.kind = Kind::kStop;
  stop.phase = phase_;
  stop.time = stopped_;
  stop.reason = why_stopped_;
  entries_.push_back(std::move(stop));
}

void ChangeLoop::CheckCancelled() {
  const TimePoint now = context_.clock.Now();
  if (!stopping_ && context_.monitor.Stops(now)) {
    stopping_ = true;
    stopped_ = now;
  }
  if (stopping_ && now - stopped_ >= kStopPatience) context_.access.CancelAll();
}

Status ChangeLoop::Flush() {
  // What runs after a flush may bring up more entries.
  while (!entries_.empty() || !after_flush_.empty()) {
    if (!entries_.empty()) {
      const auto entries = std::exchange(entries_, {});
      KT_TRY(sink_.Append(entries));
    }
    for (const auto& action : std::exchange(after_flush_, {})) action();
  }
  return {};
}

void ChangeLoop::Intend(std::size_t index, const KeyReading& reading, const RotationSetting& wanted,
                        std::function<void()> call) {
  if (stopping_ || broken_) {
    Drop(index);
    return;
  }
  JournalEntry entry;
  entry.kind = Kind::kIntent;
  entry.phase = phase_;
  entry.time = context_.clock.Now();
  entry.index = index;
  entry.prior = reading.condition();
  entry.wanted = wanted;
  entries_.push_back(std::move(entry));
  after_flush_.push_back(std::move(call));
}

void ChangeLoop::Note(std::size_t index, ChangeOutcome outcome, const std::string& detail,
                      const std::string& request_id, bool uncertain) {
  JournalEntry entry;
  entry.kind = Kind::kResult;
  entry.phase = phase_;
  entry.time = context_.clock.Now();
  entry.index = index;
  entry.outcome = outcome;
  entry.detail = detail;
  entry.request_id = request_id;
  entry.uncertain = uncertain;
  entries_.push_back(std::move(entry));
  ChangeLine& line = LineOf(index);
  line.outcome = outcome;
  line.detail = detail;
  if (!request_id.empty()) line.request_id = request_id;
}

void ChangeLoop::Finish(std::size_t index, ChangeOutcome outcome, const std::string& detail,
                        const std::string& request_id, bool uncertain) {
  Note(index, outcome, detail, request_id, uncertain);
  Ended(index);
  ++done_;
  Settled(outcome);
}

void ChangeLoop::Drop(std::size_t index) { Ended(index); }

void ChangeLoop::FinishFailedWrite(std::size_t index, const CallFailure& failure, int http_status) {
  // Without an answer, or with one that says no more than that something broke, the write may have
  // been carried out.
  const bool uncertain = http_status == 0 || http_status >= 500;
  Finish(index, ChangeOutcome::kFailed,
         FailureText(failure) + (uncertain ? "; it may have taken effect all the same" : ""),
         failure.request_id, uncertain);
}

void ChangeLoop::AwaitSetting(std::size_t index, const RotationSetting& wanted, bool hopeless,
                              std::function<void(const Sighting&)> then) {
  auto await = std::make_shared<Await>();
  await->index = index;
  await->wanted = wanted;
  await->hopeless = hopeless;
  await->then = std::move(then);
  await->begun = context_.clock.Now();
  ReadAgain(await, Millis(0));
}

void ChangeLoop::ReadAgain(const std::shared_ptr<Await>& await, Millis delay) {
  reader_.ReadSetting(client(await->index), change(await->index), delay,
                      [this, await](const auto& setting) { OnSetting(await, setting); });
}

void ChangeLoop::OnSetting(const std::shared_ptr<Await>& await,
                           const tl::expected<RotationSetting, CallFailure>& setting) {
  Sighting sighting;
  sighting.last = setting ? SettingText(*setting) : FailureText(setting.error());
  const bool wanted = setting && IsAs(*setting, await->wanted);
  await->in_a_row = wanted ? await->in_a_row + 1 : 0;
  await->others_in_a_row = wanted ? 0 : await->others_in_a_row + 1;
  sighting.seen = await->in_a_row >= kReadsInARow;
  sighting.stopped = stopping_ && !sighting.seen;
  const bool over = context_.clock.Now() - await->begun >= context_.verify_patience;
  // The client has retried what can pass by itself: an error here is final.
  const bool given_up =
      !setting || (await->hopeless && await->others_in_a_row >= kReadsInARow) || over;
  if (sighting.seen || given_up || stopping_ || broken_) {
    await->then(sighting);
    return;
  }
  ReadAgain(await, context_.verify_pause);
}

}  // namespace keyturn::control
