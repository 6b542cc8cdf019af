#include "control/run_compare.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "client/kms_client.h"

namespace keyturn::control {
namespace {

std::string Told(const KeyResult& key) {
  return std::string(VerdictName(key.judgement.verdict)) + " (" + key.judgement.reason + ")";
}

bool IsUnreached(const KeyFacts& facts) {
  const auto cancelled = [](const auto& failure) {
    return failure && failure->error_code == client::kCancelled;
  };
  return cancelled(facts.describe_failure) || cancelled(facts.rotation_failure) ||
         cancelled(facts.rotations_failure) || cancelled(facts.tags_failure);
}

std::optional<std::string> KeyDifference(const KeyResult& recorded, const KeyResult& derived,
                                         bool cancelled) {
  const std::string arn = recorded.facts.arn;
  if (derived.facts.arn != recorded.facts.arn) {
    return "key " + arn + " is not among those that were listed";
  }
  if (derived.judgement.verdict != recorded.judgement.verdict) {
    return "key " + arn + " is recorded as " + Told(recorded) + ", and is " + Told(derived);
  }
  if (cancelled && (IsUnreached(recorded.facts) || IsUnreached(derived.facts))) return std::nullopt;
  if (derived.judgement != recorded.judgement) {
    return "key " + arn + " is recorded as " + Told(recorded) + ", and is " + Told(derived);
  }
  if (derived.facts != recorded.facts) return "facts of key " + arn + " are recorded otherwise";
  return std::nullopt;
}

using Place = std::tuple<std::string, std::string, std::string>;  // endpoint, account, region
Place PlaceOf(const KeyFacts& facts) { return {facts.endpoint_url, facts.account, facts.region}; }
std::set<Place> Scanned(const AuditRun& run) {
  std::set<Place> places;
  for (const RegionResult& region : run.regions) {
    if (region.status == RegionStatus::kScanned) {
      places.emplace(region.endpoint_url, region.account, region.region);
    }
  }
  return places;
}

// WasScanned: a region without keys may not have told its account.
bool WasScanned(const std::set<Place>& scanned, const Place& place) {
  return scanned.contains(place) ||
         scanned.contains({std::get<0>(place), std::string(), std::get<2>(place)});
}

// Rank: how bad a verdict is; higher is worse.
int Rank(Verdict verdict) {
  switch (verdict) {
    case Verdict::kFail:
      return 4;
    case Verdict::kFailPeriod:
      return 3;
    case Verdict::kUnknown:
      return 2;
    case Verdict::kExcepted:
      return 1;
    case Verdict::kPass:
    case Verdict::kNotApplicable:
    case Verdict::kSkipped:
    case Verdict::kGone:
      break;
  }
  return 0;
}

std::string PeriodOf(const KeyFacts& facts) {
  if (!facts.rotation || !facts.rotation->enabled || !facts.rotation->period_days) return {};
  return std::to_string(*facts.rotation->period_days) + " days";
}

DiffLine LineOf(const KeyFacts& facts, DiffKind kind) {
  DiffLine line;
  line.kind = kind;
  line.endpoint_url = facts.endpoint_url;
  line.account = facts.account;
  line.region = facts.region;
  line.arn = facts.arn;
  if (!facts.aliases.empty()) line.name = facts.aliases.front();
  return line;
}

std::optional<DiffLine> DiffKey(const KeyResult& older, const KeyResult& newer) {
  const Verdict before = older.judgement.verdict;
  const Verdict after = newer.judgement.verdict;
  DiffLine line = LineOf(newer.facts, DiffKind::kChanged);
  line.reason = newer.judgement.reason;
  if (before == after) {
    line.before = PeriodOf(older.facts);
    line.after = PeriodOf(newer.facts);
    line.kind = DiffKind::kPeriod;
    if (line.before == line.after || line.before.empty() || line.after.empty()) return std::nullopt;
    return line;
  }
  line.before = VerdictName(before);
  line.after = VerdictName(after);
  if (after == Verdict::kExcepted) {
    line.kind = DiffKind::kNewlyExcepted;
  } else if (Rank(after) > Rank(before)) {
    line.kind = DiffKind::kWorse;
  } else if (Rank(after) < Rank(before)) {
    line.kind = DiffKind::kBetter;
  }
  return line;
}

using Regions = std::map<Place, const RegionResult*>;

Regions RegionsOf(const AuditRun& run) {
  Regions regions;
  for (const RegionResult& region : run.regions) {
    const RegionResult*& known = regions[{region.endpoint_url, region.account, region.region}];
    // Of two callers of one account, one has scanned the region.
    if (known == nullptr || region.status == RegionStatus::kScanned) known = &region;
  }
  return regions;
}

// Counterpart finds a region in the other run. One that fails, or has no keys, may not have told
// its account.
Regions::iterator Counterpart(Regions& others, const RegionResult& region) {
  return std::find_if(others.begin(), others.end(), [&region](const auto& entry) {
    const RegionResult& other = *entry.second;
    return other.endpoint_url == region.endpoint_url && other.region == region.region &&
           (other.account.empty() || region.account.empty());
  });
}

// DiffRegion: one of the two may be null: that run did not ask for the region.
void DiffRegion(const RegionResult* older, const RegionResult* newer, RunDiff& diff) {
  const auto scanned = [](const RegionResult* region) {
    return region != nullptr && region->status == RegionStatus::kScanned;
  };
  const bool was = scanned(older);
  const bool is = scanned(newer);
  const bool both = older != nullptr && newer != nullptr;
  if (was == is && (!both || older->status == newer->status)) return;
  const RegionResult& told = newer != nullptr ? *newer : *older;
  DiffLine line;
  line.kind = was ? DiffKind::kRegionLost : is ? DiffKind::kRegionFound : DiffKind::kChanged;
  line.endpoint_url = told.endpoint_url;
  line.account = told.account;
  line.region = told.region;
  if (older != nullptr) line.before = RegionStatusName(older->status);
  if (newer != nullptr) line.after = RegionStatusName(newer->status);
  line.reason = newer != nullptr ? newer->detail : "the newer run did not ask for it";
  diff.lines.push_back(std::move(line));
}

void DiffRegions(const AuditRun& older, const AuditRun& newer, RunDiff& diff) {
  Regions before = RegionsOf(older);
  Regions after = RegionsOf(newer);
  for (auto it = after.begin(); it != after.end();) {
    const auto found = before.find(it->first);
    if (found == before.end()) {
      ++it;
      continue;
    }
    DiffRegion(found->second, it->second, diff);
    before.erase(found);
    it = after.erase(it);
  }
  for (const auto& [place, region] : after) {
    const auto found = Counterpart(before, *region);
    DiffRegion(found == before.end() ? nullptr : found->second, region, diff);
    if (found != before.end()) before.erase(found);
  }
  for (const auto& [place, region] : before) DiffRegion(region, nullptr, diff);
}

void DiffKeys(const AuditRun& older, const AuditRun& newer, RunDiff& diff) {
  std::map<std::tuple<Place, std::string>, const KeyResult*> before;
  for (const KeyResult& key : older.keys) {
    before.emplace(std::tuple(PlaceOf(key.facts), std::string(key.facts.arn)), &key);
  }
  const std::set<Place> scanned_before = Scanned(older);
  const std::set<Place> scanned_after = Scanned(newer);
  for (const KeyResult& key : newer.keys) {
    const auto found = before.find({PlaceOf(key.facts), std::string(key.facts.arn)});
    if (found != before.end()) {
      if (auto line = DiffKey(*found->second, key)) {
        diff.lines.push_back(*std::move(line));
      } else {
        ++diff.unchanged;
      }
      before.erase(found);
      continue;
    }
    if (!WasScanned(scanned_before, PlaceOf(key.facts))) continue;
    const bool failing = Rank(key.judgement.verdict) >= Rank(Verdict::kUnknown);
    DiffLine line = LineOf(key.facts, failing ? DiffKind::kWorse : DiffKind::kNew);
    line.after = VerdictName(key.judgement.verdict);
    line.reason = key.judgement.reason;
    diff.lines.push_back(std::move(line));
  }
  for (const auto& [place, key] : before) {
    if (!WasScanned(scanned_after, std::get<0>(place))) continue;
    DiffLine line = LineOf(key->facts, DiffKind::kGone);
    line.before = VerdictName(key->judgement.verdict);
    diff.lines.push_back(std::move(line));
  }
}

}  // namespace

std::optional<std::string> FirstDifference(const AuditRun& recorded, const AuditRun& derived,
                                           bool cancelled) {
  if (recorded.cancelled != derived.cancelled && !cancelled) {
    return "whether the run was cancelled is recorded otherwise";
  }
  if (recorded.endpoint != derived.endpoint) return "the endpoint is recorded otherwise";
  for (std::size_t i = 0; i < std::min(recorded.regions.size(), derived.regions.size()); ++i) {
    const bool same = cancelled ? recorded.regions[i].region == derived.regions[i].region
                                : recorded.regions[i] == derived.regions[i];
    if (!same) {
      return "region " + std::string(recorded.regions[i].region) + " of account " +
             std::string(recorded.regions[i].account) + " is recorded otherwise";
    }
  }
  if (recorded.regions.size() != derived.regions.size()) {
    return std::to_string(recorded.regions.size()) + " regions are recorded, " +
           std::to_string(derived.regions.size()) + " were asked";
  }
  for (std::size_t i = 0; i < std::min(recorded.keys.size(), derived.keys.size()); ++i) {
    if (auto difference = KeyDifference(recorded.keys[i], derived.keys[i], cancelled)) {
      return difference;
    }
  }
  if (recorded.keys.size() != derived.keys.size()) {
    return std::to_string(recorded.keys.size()) + " keys are recorded, " +
           std::to_string(derived.keys.size()) + " were listed";
  }
  const auto counts = [](const AuditRun& run) {
    std::vector<std::tuple<int, std::map<Verdict, std::uint64_t>, std::uint64_t>> periods;
    for (const PeriodResult& result : run.also_judged) {
      periods.emplace_back(result.max_period_days, result.totals.by_verdict,
                           result.totals.followers);
    }
    return periods;
  };
  if (recorded.policy != derived.policy) return "the policy is recorded otherwise";
  if (!cancelled && counts(recorded) != counts(derived)) {
    return "what other maximum periods would find is recorded otherwise";
  }
  if (!cancelled && recorded.exception_notes != derived.exception_notes) {
    return "what is said of the exceptions is recorded otherwise";
  }
  return std::nullopt;
}

std::string_view DiffKindName(DiffKind kind) {
  switch (kind) {
    case DiffKind::kWorse:
      return "worse";
    case DiffKind::kBetter:
      return "better";
    case DiffKind::kChanged:
      return "changed";
    case DiffKind::kPeriod:
      return "period";
    case DiffKind::kNewlyExcepted:
      return "newly excepted";
    case DiffKind::kNew:
      return "new";
    case DiffKind::kGone:
      return "gone";
    case DiffKind::kRegionLost:
      return "region lost";
    case DiffKind::kRegionFound:
      return "region found";
  }
  return "changed";
}

bool IsRegression(DiffKind kind) {
  return kind == DiffKind::kWorse || kind == DiffKind::kRegionLost;
}

bool RunDiff::HasRegression() const {
  return std::any_of(lines.begin(), lines.end(),
                     [](const DiffLine& line) { return IsRegression(line.kind); });
}

RunDiff DiffRuns(const AuditRun& older, const AuditRun& newer) {
  RunDiff diff;
  diff.old_run_id = older.run_id;
  diff.new_run_id = newer.run_id;
  diff.old_started = older.started;
  diff.new_started = newer.started;
  diff.old_max_period_days = older.max_period_days;
  diff.new_max_period_days = newer.max_period_days;
  diff.old_totals = older.totals;
  diff.new_totals = newer.totals;
  DiffRegions(older, newer, diff);
  DiffKeys(older, newer, diff);
  // What got worse comes first.
  const auto order = [](const DiffLine& line) {
    return std::tuple(IsRegression(line.kind) ? 0 : 1, line.kind == DiffKind::kWorse ? 1 : 0,
                      static_cast<int>(line.kind));
  };
  std::stable_sort(diff.lines.begin(), diff.lines.end(), [&](const auto& a, const auto& b) {
    return std::tuple(order(a), a.endpoint_url, a.account, a.region, a.arn) <
           std::tuple(order(b), b.endpoint_url, b.account, b.region, b.arn);
  });
  return diff;
}

}  // namespace keyturn::control
