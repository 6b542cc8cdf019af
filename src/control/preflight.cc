#include "control/preflight.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <tuple>
#include <utility>

#include "control/answers.h"
#include "control/evaluate.h"
#include "control/text.h"
#include "model/arn.h"

namespace keyturn::control {
namespace {

using client::CallError;
using client::CallResult;

constexpr Millis kPreflightWait{100};
// Keys of a region that are described, and those of them that further reads are tried on.
constexpr std::size_t kDescribedMax = 30;
constexpr std::size_t kSampleMax = 5;
constexpr int kListed = 100;

struct Wanted {
  std::string_view phase;
  std::string_view action;
  bool optional;
};
constexpr std::array<Wanted, 8> kWanted = {{{"audit", "ListKeys", false},
                                            {"audit", "ListAliases", false},
                                            {"audit", "DescribeKey", false},
                                            {"audit", "GetKeyRotationStatus", false},
                                            {"audit", "ListResourceTags", true},
                                            {"audit", "ListKeyRotations", true},
                                            {"apply", "EnableKeyRotation", false},
                                            {"backout", "DisableKeyRotation", false}}};

bool IsWrite(std::string_view operation) {
  return operation == "EnableKeyRotation" || operation == "DisableKeyRotation";
}

// IsPastAuthorization: KMS looks at state and kind of a key once the call is authorized.
bool IsPastAuthorization(const CallError& error) {
  constexpr std::array<std::string_view, 5> kCodes = {
      "UnsupportedOperationException", "KMSInvalidStateException", "DisabledException",
      "KeyUnavailableException", "LimitExceededException"};
  return std::find(kCodes.begin(), kCodes.end(), error.code) != kCodes.end();
}

// CannotRotate: an asymmetric key, of which KMS says that it cannot rotate by itself. HMAC keys are
// left out: DisableKeyRotation succeeds on them, and a log would show a change.
bool CannotRotate(const KeyFacts& facts) {
  return facts.key_manager == "CUSTOMER" && !facts.key_spec.empty() &&
         facts.key_spec != "SYMMETRIC_DEFAULT" &&
         !std::string_view(facts.key_spec).starts_with("HMAC_") && facts.origin == "AWS_KMS";
}

// Tally: how the calls of one operation ended.
struct Tally {
  std::size_t tried = 0;
  std::size_t allowed = 0;
  std::size_t denied = 0;
  std::string denial;
  std::string failure;  // of a call that says nothing
};

std::string TextOf(const CallError& error) {
  return WellFormed(error.message.empty() ? error.code : error.code + ": " + error.message);
}

class PreflightLoop {
 public:
  PreflightLoop(Access& access, const std::vector<Target>& targets, const PreflightOptions& options,
                const Clock& clock, const Monitor& monitor)
      : access_(access), options_(options), clock_(clock), monitor_(monitor) {
    for (const Target& target : targets) {
      works_.push_back(std::make_unique<Work>());
      works_.back()->target = &target;
    }
  }

  void Read(PreflightRun& run) {
    ProgressMeter meter(monitor_, clock_, access_, "looking");
    for (;;) {
      if (!stopping_ && monitor_.Stops(clock_.Now())) {
        stopping_ = true;
        access_.CancelAll();
      }
      OpenNext();
      meter.Report(done_, works_.size(), true);
      if (open_ == 0 && (stopping_ || next_ == works_.size())) break;
      access_.Pump(kPreflightWait);
    }
    run.cancelled = stopping_;
    for (const auto& work : works_) Conclude(*work, run);
  }

 private:
  struct Region {
    PreflightPlace place;
    std::map<std::string, Tally, std::less<>> tallies;
    std::vector<KeyFacts> facts;
    std::optional<CallError> list_error;
    bool has_more = false;  // keys than facts
    bool sampled = false;
  };
  struct Work {
    const Target* target = nullptr;
    client::KmsClient* client = nullptr;
    std::vector<std::unique_ptr<Region>> regions;
    std::optional<Target::Closed> closed;
    std::string note;
    std::size_t busy = 0;
  };

  void OpenNext() {
    while (!stopping_ && open_ < access_.open_max() && next_ < works_.size()) {
      Work& work = *works_[next_++];
      if (work.target->closed) {
        work.closed = work.target->closed;
        ++done_;
        continue;
      }
      ++open_;
      access_.Begin(*work.target, [this, &work](const auto& opened) { OnOpened(work, opened); });
    }
  }

  void OnOpened(Work& work, const tl::expected<Access::Open, Target::Closed>& opened) {
    if (!opened) {
      work.closed = opened.error();
      --open_;
      ++done_;
      return;
    }
    work.client = opened->client;
    work.note = opened->note;
    work.client->Observe(
        [this, &work](const client::Exchange& exchange) { Watch(work, exchange); });
    const auto add = [&work, &opened](const std::string& name) -> Region& {
      Region& region = *work.regions.emplace_back(std::make_unique<Region>());
      region.place.endpoint_url = work.target->endpoint_url;
      region.place.account = work.target->account;
      region.place.region = name;
      region.place.caller_arn = opened->caller_arn;
      const auto caller = model::Arn::Parse(opened->caller_arn);
      if (region.place.account.empty() && caller) region.place.account = caller->account;
      return region;
    };
    for (const std::string& name : opened->not_enabled) {
      Region& region = add(name);
      region.place.status = RegionStatus::kNotEnabled;
      region.place.asked_for = false;
      region.place.detail = "the account has not opted in to this region";
    }
    ++work.busy;
    for (const std::string& name : opened->regions) {
      Region& region = add(name);
      Call(work, region, "ListKeys", PageBody(kListed, {}),
           [this, &work, &region](const auto& result) { OnListed(work, region, result); });
      Call(work, region, "ListAliases", PageBody(kListed, {}), [](const auto&) {});
    }
    Ended(work);
  }

  // Watch compares the endpoint's clock with ours.
  void Watch(Work& work, const client::Exchange& exchange) {
    if (exchange.response == nullptr) return;
    const auto date = ParseHttpDate(exchange.response->Header("date"));
    if (!date) return;
    for (const auto& region : work.regions) {
      if (region->place.region != exchange.region) continue;
      region->place.clock_skew = std::chrono::round<std::chrono::seconds>(*date - clock_.Now());
    }
  }

  void Call(Work& work, Region& region, std::string_view operation, std::string body,
            std::function<void(const CallResult&)> done) {
    ++work.busy;
    work.client->Call(operation, region.place.region, std::move(body),
                      [this, &work, &region, operation = std::string(operation),
                       done = std::move(done)](const CallResult& result) {
                        Count(region.tallies[operation], result);
                        done(result);
                        Ended(work);
                      });
  }

  static void Count(Tally& tally, const CallResult& result) {
    if (!result && result.error().code == "NotFoundException") return;  // gone meanwhile
    ++tally.tried;
    if (result || IsPastAuthorization(result.error())) {
      ++tally.allowed;
    } else if (result.error().IsDenied()) {
      ++tally.denied;
      if (tally.denial.empty()) tally.denial = TextOf(result.error());
    } else {
      tally.failure = TextOf(result.error());
    }
  }

  void OnListed(Work& work, Region& region, const CallResult& result) {
    if (!result) {
      region.list_error = result.error();
      return;
    }
    region.place.status = RegionStatus::kScanned;
    const auto page = answers_.ListKeys(result->body);
    if (!page) return;
    region.facts.resize(std::min(page->items.size(), kDescribedMax));
    region.has_more = page->items.size() > kDescribedMax || !page->next_marker.empty();
    if (region.place.account.empty() && !page->items.empty()) {
      const auto arn = model::Arn::Parse(page->items.front().arn);
      if (arn) region.place.account = arn->account;
    }
    for (std::size_t i = 0; i < region.facts.size(); ++i) {
      const ListedKey& key = page->items[i];
      region.facts[i].arn = key.arn;
      region.facts[i].key_id = key.key_id;
      Call(work, region, "DescribeKey", KeyIdBody(key.key_id),
           [this, &region, i](const CallResult& described) {
             KeyFacts& facts = region.facts[i];
             if (!described || !answers_.DescribeKey(described->body, facts))
               facts.key_manager = {};
           });
    }
  }

  // Ended: one call less. Once a target has none, the samples of its regions are tried, and then it
  // is through.
  void Ended(Work& work) {
    if (--work.busy > 0) return;
    ++work.busy;
    for (const auto& region : work.regions) Sample(work, *region);
    if (--work.busy > 0) return;
    access_.Close(std::exchange(work.client, nullptr));
    --open_;
    ++done_;
  }

  void Sample(Work& work, Region& region) {
    if (std::exchange(region.sampled, true) || stopping_) return;
    const auto none = [](const CallResult&) {};
    std::size_t reads = 0;
    const KeyFacts* fixed = nullptr;
    for (const KeyFacts& facts : region.facts) {
      if (facts.key_manager != "CUSTOMER") continue;
      if (fixed == nullptr && CannotRotate(facts)) fixed = &facts;
      if (!MayRotate(facts) || reads == kSampleMax) continue;
      ++reads;
      for (const char* operation :
           {"GetKeyRotationStatus", "ListResourceTags", "ListKeyRotations"}) {
        Call(work, region, operation, KeyIdBody(facts.key_id), none);
      }
    }
    if (fixed == nullptr || !options_.try_writes) return;
    if (options_.apply) Call(work, region, "EnableKeyRotation", KeyIdBody(fixed->key_id), none);
    if (options_.backout) Call(work, region, "DisableKeyRotation", KeyIdBody(fixed->key_id), none);
  }

  // --- What it comes to --------------------------------------------------------------------------

  void Conclude(Work& work, PreflightRun& run) {
    if (!work.note.empty() &&
        std::find(run.notes.begin(), run.notes.end(), work.note) == run.notes.end()) {
      run.notes.push_back(work.note);
    }
    if (work.regions.empty()) {
      run.places.push_back(Unopened(work));
      return;
    }
    bool credentials_work = false;
    std::string account;  // as one of the regions has told it
    for (const auto& region : work.regions) {
      credentials_work = credentials_work || region->place.status == RegionStatus::kScanned;
      if (account.empty()) account = region->place.account;
    }
    for (const auto& region : work.regions) region->place.account = account;
    for (const auto& region : work.regions) {
      Judge(*region, credentials_work);
      for (const Wanted& wanted : kWanted) {
        if (wanted.phase == "apply" && !options_.apply) continue;
        if (wanted.phase == "backout" && !options_.backout) continue;
        if (region->place.status == RegionStatus::kNotEnabled) continue;
        region->place.checks.push_back(CheckOf(work, *region, wanted));
      }
    }
    for (const auto& region : work.regions) run.places.push_back(std::move(region->place));
  }

  // Unopened: an account that no client was made for.
  PreflightPlace Unopened(const Work& work) const {
    PreflightPlace place;
    place.endpoint_url = work.target->endpoint_url;
    place.account = work.target->account;
    const Target::Closed closed =
        work.closed.value_or(Target::Closed{RegionStatus::kError, "not reached: stopped"});
    place.status = closed.status;
    place.detail = closed.detail;
    place.asked_for = !work.target->closed.has_value();
    if (closed.status == RegionStatus::kDenied) {
      place.checks.push_back(
          {"organization", "sts:AssumeRole", false, Found::kMissing, closed.detail});
    }
    return place;
  }

  // Judge tells what an error of ListKeys means for a region.
  static void Judge(Region& region, bool credentials_work) {
    if (!region.list_error) {
      if (region.place.status == RegionStatus::kError) region.place.detail = "not reached: stopped";
      return;
    }
    const CallError& error = *region.list_error;
    region.place.detail = "ListKeys: " + TextOf(error);
    const bool no_such_caller =
        error.code == "UnrecognizedClientException" || error.code == "InvalidClientTokenId";
    if (error.code == "OptInRequired" || error.code == "SubscriptionRequiredException" ||
        (no_such_caller && credentials_work)) {
      region.place.status = RegionStatus::kNotEnabled;
    } else if (error.IsDenied() || error.IsBadCredentials()) {
      region.place.status = RegionStatus::kDenied;
    }
  }

  PermissionCheck CheckOf(const Work& work, const Region& region, const Wanted& wanted) const {
    PermissionCheck check{std::string(wanted.phase),
                          "kms:" + std::string(wanted.action),
                          wanted.optional,
                          Found::kUnknown,
                          {}};
    const auto found = region.tallies.find(wanted.action);
    const Tally tally = found == region.tallies.end() ? Tally{} : found->second;
    if (tally.denied > 0) {
      check.found = Found::kMissing;
      check.detail = tally.denial;
      if (tally.allowed > 0) {
        check.detail = "for " + std::to_string(tally.denied) + " of " +
                       Counted(tally.tried, "key") + " tried: " + check.detail;
      }
    } else if (tally.allowed > 0) {
      check.found = Found::kAllowed;
    } else if (tally.tried > 0) {
      check.detail = tally.failure;
    } else if (region.place.status != RegionStatus::kScanned || region.facts.empty()) {
      check.found =
          region.place.status == RegionStatus::kScanned ? Found::kNothing : Found::kUnknown;
      check.detail = region.place.status == RegionStatus::kScanned ? "there is no key here"
                                                                   : "keys cannot be listed";
    } else if (region.tallies.at("DescribeKey").allowed == 0) {
      check.detail = "no key can be described";
    } else if (IsWrite(wanted.action)) {
      Elsewhere(work, region, wanted, check);
    } else {
      check.found = Found::kNothing;
      check.detail = "none of " + Counted(region.facts.size(), "key") + " looked at can rotate";
    }
    return check;
  }

  // Elsewhere: a write that could not be tried here. What the caller's own policies allow is the
  // same in every region of an account; what the keys' policies allow is not.
  void Elsewhere(const Work& work, const Region& region, const Wanted& wanted,
                 PermissionCheck& check) const {
    if (std::none_of(region.facts.begin(), region.facts.end(), MayRotate)) {
      check.found = Found::kNothing;
      check.detail = "none of " + Counted(region.facts.size(), "key") + " looked at can rotate";
      return;
    }
    if (!options_.try_writes) {
      check.detail = "cannot be known without trying, which was not asked for";
      return;
    }
    std::string denied_in;
    for (const auto& other : work.regions) {
      const auto found = other->tallies.find(wanted.action);
      if (found == other->tallies.end()) continue;
      if (found->second.denied > 0) denied_in = other->place.region;
      if (found->second.allowed == 0) continue;
      check.found = Found::kAllowed;
      check.detail = "as in " + other->place.region + "; the policies of the keys here may differ";
      return;
    }
    check.detail =
        "cannot be known without trying: there is no asymmetric key " +
        (region.has_more ? "among the " + Counted(region.facts.size(), "key") + " looked at"
                         : std::string("here")) +
        " to try it on without effect";
    if (!denied_in.empty()) check.detail += "; it is missing in " + denied_in;
  }

  Access& access_;
  const PreflightOptions options_;
  const Clock& clock_;
  const Monitor& monitor_;
  Answers answers_;
  std::vector<std::unique_ptr<Work>> works_;
  std::size_t next_ = 0;
  std::size_t open_ = 0;
  std::size_t done_ = 0;
  bool stopping_ = false;
};

}  // namespace

std::string_view FoundName(Found found) {
  switch (found) {
    case Found::kAllowed:
      return "allowed";
    case Found::kMissing:
      return "missing";
    case Found::kUnknown:
      return "unknown";
    case Found::kNothing:
      return "nothing to try";
  }
  return {};
}

Result<PreflightRun> RunPreflight(Access& access, const std::vector<Target>& targets,
                                  const PreflightOptions& options, const Clock& clock,
                                  const Monitor& monitor) {
  if (targets.empty()) return Fail(ErrorCode::kUsage, "there is no account to look at");
  PreflightRun run;
  run.tool_version = options.tool_version;
  run.started = clock.Now();
  PreflightLoop loop(access, targets, options, clock, monitor);
  loop.Read(run);
  run.finished = clock.Now();
  std::stable_sort(run.places.begin(), run.places.end(), [](const auto& a, const auto& b) {
    return std::tie(a.endpoint_url, a.account, a.region) <
           std::tie(b.endpoint_url, b.account, b.region);
  });
  return run;
}

PreflightRun OrganizationRefused(const Error& error, const PreflightOptions& options,
                                 TimePoint now) {
  PreflightRun run;
  run.tool_version = options.tool_version;
  run.started = run.finished = now;
  PreflightPlace place;
  const bool denied = error.code == ErrorCode::kAccessDeniedException;
  place.status = denied ? RegionStatus::kDenied : RegionStatus::kError;
  place.detail = error.message;
  place.checks.push_back({"organization", "organizations:ListAccounts", false,
                          denied ? Found::kMissing : Found::kUnknown, error.message});
  run.places.push_back(std::move(place));
  return run;
}

int PreflightExitCode(const PreflightRun& run) {
  bool missing = false;
  bool unknown = run.cancelled;
  for (const PreflightPlace& place : run.places) {
    if (place.status == RegionStatus::kNotEnabled) missing = missing || place.asked_for;
    if (place.status == RegionStatus::kError) unknown = unknown || place.asked_for;
    if (place.status == RegionStatus::kDenied) missing = true;
    if (place.clock_skew && std::chrono::abs(*place.clock_skew) > kClockSkewMax) missing = true;
    for (const PermissionCheck& check : place.checks) {
      if (check.optional) continue;
      missing = missing || check.found == Found::kMissing;
      unknown = unknown || check.found == Found::kUnknown;
    }
  }
  return missing ? kExitFindings : unknown ? kExitIncomplete : kExitCompliant;
}

}  // namespace keyturn::control
