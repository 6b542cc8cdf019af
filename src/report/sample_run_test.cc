#include "report/sample_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace keyturn::report {
namespace {

using control::AuditRun;
using control::KeyResult;
using control::Verdict;

constexpr const char* kAccount = "111122223333";

TimePoint At(const char* iso) { return *ParseIso8601(iso); }

KeyResult MakeKey(const char* region, int number, Verdict verdict, int row, const char* reason) {
  KeyResult key;
  auto& facts = key.facts;
  facts.key_id = fmt::format("{:08x}-12ab-34cd-56ef-{:012x}", number * 0x1f3b, number);
  facts.arn = fmt::format("arn:aws:kms:{}:{}:key/{}", region, kAccount, facts.key_id);
  facts.account = kAccount;
  facts.region = region;
  facts.key_manager = "CUSTOMER";
  facts.key_spec = "SYMMETRIC_DEFAULT";
  facts.key_usage = "ENCRYPT_DECRYPT";
  facts.origin = "AWS_KMS";
  facts.key_state = "Enabled";
  facts.creation_date = At("2024-03-01T08:00:00Z");
  key.judgement = {verdict, verdict, row, reason, false, ""};
  return key;
}

KeyResult Passing(const char* region, int number, const char* alias, const char* next) {
  KeyResult key = MakeKey(region, number, Verdict::kPass, 12, "Rotates every 365 days.");
  key.facts.aliases = {alias};
  key.facts.rotation = control::RotationFacts{true, 365, At(next), {}};
  return key;
}

KeyResult Failing(const char* region, int number, std::vector<std::string> aliases) {
  KeyResult key = MakeKey(region, number, Verdict::kFail, 14, "Automatic rotation is off.");
  key.facts.aliases = std::move(aliases);
  key.facts.rotation = control::RotationFacts{};
  key.judgement.remediable = true;
  return key;
}

void AddFrankfurt(std::vector<KeyResult>& keys) {
  constexpr const char* kRegion = "eu-central-1";
  for (int i = 0; i < 9; ++i) {
    static constexpr const char* kNext[] = {
        "2026-11-30T00:00:00Z", "2026-12-24T00:00:00Z", "2027-01-05T00:00:00Z",
        "2027-01-06T00:00:00Z", "2027-03-01T00:00:00Z", "2027-06-15T00:00:00Z",
        "2027-06-16T00:00:00Z", "2027-06-17T00:00:00Z", "2027-10-31T00:00:00Z"};
    keys.push_back(
        Passing(kRegion, 100 + i, fmt::format("alias/shop/orders-{}", i).c_str(), kNext[i]));
  }
  keys.push_back(Failing(kRegion, 1, {"alias/payments/cards", "alias/payments/cards-legacy"}));
  keys.push_back(Failing(kRegion, 2, {}));
  keys.back().facts.description = "Backups of the warehouse, 2021";
  keys.push_back(Failing(kRegion, 3, {"alias/hr/payroll"}));
  keys.back().judgement.reason =
      "Automatic rotation is off; the last on-demand rotation was on 2026-09-02.";
  keys.back().facts.last_rotation_date = At("2026-09-02T10:00:00Z");
  keys.back().facts.last_rotation_type = "ON_DEMAND";
  KeyResult period = MakeKey(kRegion, 4, Verdict::kFailPeriod, 13,
                             "Rotates every 730 days; the policy allows at most 365.");
  period.facts.aliases = {"alias/archive"};
  period.facts.rotation = control::RotationFacts{true, 730, At("2027-08-01T00:00:00Z"), {}};
  period.judgement.remediable = true;
  keys.push_back(period);
  KeyResult unknown =
      MakeKey(kRegion, 5, Verdict::kUnknown, 10,
              "GetKeyRotationStatus was denied: kms:GetKeyRotationStatus is missing.");
  unknown.facts.aliases = {"alias/vault"};
  unknown.facts.rotation_failure = control::CallFailure{
      "GetKeyRotationStatus", "AccessDeniedException",
      "User is not authorized to perform: kms:GetKeyRotationStatus", "0d5e7b1c-aaaa-bbbb-cccc-1"};
  keys.push_back(unknown);
  KeyResult excepted = MakeKey(kRegion, 6, Verdict::kExcepted, 15,
                               "Automatic rotation is off; accepted until 2027-02-28.");
  excepted.judgement.raw_verdict = Verdict::kFail;
  excepted.judgement.exception_id = "legacy-hsm-export";
  excepted.facts.aliases = {"alias/legacy/export"};
  excepted.facts.rotation = control::RotationFacts{};
  keys.push_back(excepted);
  KeyResult managed = MakeKey(kRegion, 7, Verdict::kNotApplicable, 3,
                              "AWS manages this key and rotates it every year.");
  managed.facts.key_manager = "AWS";
  managed.facts.aliases = {"alias/aws/s3"};
  keys.push_back(managed);
}

// Words that an attacker could put where a report would show them.
void AddVirginia(std::vector<KeyResult>& keys) {
  constexpr const char* kRegion = "us-east-1";
  KeyResult hostile = Failing(kRegion, 20, {"alias/<script>alert(1)</script>"});
  hostile.facts.description =
      "=HYPERLINK(\"http://evil\",\"x\")\x1b[31m\"><img src=x onerror=alert(2)>";
  keys.push_back(hostile);
  KeyResult replica = Failing(kRegion, 21, {"alias/global/session"});
  replica.facts.key_id = "mrk-1234abcd12ab34cd56ef1234567890ab";
  replica.facts.arn = "arn:aws:kms:us-east-1:111122223333:key/" + replica.facts.key_id;
  replica.facts.multi_region = true;
  replica.facts.multi_region_type = "REPLICA";
  replica.facts.primary_region = "eu-central-1";
  replica.facts.primary_arn = "arn:aws:kms:eu-central-1:111122223333:key/" + replica.facts.key_id;
  replica.judgement.row = 11;
  replica.judgement.reason = "Replica of a key in eu-central-1 whose automatic rotation is off.";
  keys.push_back(replica);
  for (int i = 0; i < 6; ++i) {
    static constexpr const char* kSpecs[] = {"RSA_4096", "ECC_NIST_P256", "HMAC_256"};
    KeyResult key = MakeKey(kRegion, 30 + i, Verdict::kNotApplicable, 4,
                            "No automatic rotation exists for this kind of key.");
    key.facts.key_spec = kSpecs[i % 3];
    keys.push_back(key);
  }
  KeyResult disabled = MakeKey(kRegion, 40, Verdict::kSkipped, 9,
                               "Disabled; its rotation setting (on) is kept for later.");
  disabled.facts.key_state = "Disabled";
  disabled.facts.rotation = control::RotationFacts{true, 365, {}, {}};
  keys.push_back(disabled);
  KeyResult pending =
      MakeKey(kRegion, 41, Verdict::kSkipped, 8, "Waiting to be deleted on 2026-12-20.");
  pending.facts.key_state = "PendingDeletion";
  pending.facts.deletion_date = At("2026-12-20T00:00:00Z");
  keys.push_back(pending);
  KeyResult gone = MakeKey(kRegion, 42, Verdict::kGone, 2, "Deleted while the audit ran.");
  gone.facts.key_manager = gone.facts.key_spec = gone.facts.origin = gone.facts.key_state = "";
  gone.facts.describe_failure =
      control::CallFailure{"DescribeKey", "NotFoundException", "Key does not exist", ""};
  keys.push_back(gone);
  keys.push_back(Passing(kRegion, 50, "alias/注文-キー", "2027-02-11T00:00:00Z"));
}

}  // namespace

AuditRun SampleRun() {
  AuditRun run;
  run.tool_version = "0.1.0";
  run.run_id = "7f0c3c1e-5d0b-4b7e-9a55-2c1d9e8f0a11";
  run.started = At("2026-11-24T08:15:02Z");
  run.finished = At("2026-11-24T08:15:04.350Z");
  run.endpoint = "http://127.0.0.1:4566";
  AddFrankfurt(run.keys);
  AddVirginia(run.keys);
  std::sort(run.keys.begin(), run.keys.end(), [](const KeyResult& a, const KeyResult& b) {
    return std::pair(a.facts.region, a.facts.arn) < std::pair(b.facts.region, b.facts.arn);
  });
  const auto listed = [&run](const char* region) {
    return static_cast<std::uint64_t>(
        std::count_if(run.keys.begin(), run.keys.end(),
                      [region](const KeyResult& key) { return key.facts.region == region; }));
  };
  const std::string url = run.endpoint;
  for (KeyResult& key : run.keys) key.facts.endpoint_url = url;
  run.regions = {
      {url, "", "ap-south-2", control::RegionStatus::kNotEnabled, "The region is not enabled.", 0},
      {url, "", "sa-east-1", control::RegionStatus::kError,
       "ListKeys failed: NetworkError: connection refused", 0},
      {url, kAccount, "eu-central-1", control::RegionStatus::kScanned, "", listed("eu-central-1")},
      {url, kAccount, "me-south-1", control::RegionStatus::kDenied,
       "ListKeys was denied: kms:ListKeys is missing.", 0},
      {url, kAccount, "us-east-1", control::RegionStatus::kScanned, "", listed("us-east-1")},
  };
  run.totals = control::CountTotals(run.keys);
  run.calls = {{"DescribeKey", {28, 2, 1}},
               {"GetKeyRotationStatus", {18, 0, 1}},
               {"ListAliases", {2, 0, 0}},
               {"ListKeys", {5, 0, 3}}};
  run.exception_notes = {{"old-crm", "expired on 2026-06-30; the key fails again"},
                         {"temp-import", "matches no key"}};
  return run;
}

AuditRun CompliantRun() {
  AuditRun run;
  run.tool_version = "0.1.0";
  run.run_id = "0b6f64a9-1d51-4a0e-8a44-6d0ad2c9b0a2";
  run.started = At("2026-11-24T08:15:02Z");
  run.finished = At("2026-11-24T08:15:03Z");
  run.endpoint = "AWS";
  run.keys = {Passing("eu-central-1", 1, "alias/a", "2027-02-11T00:00:00Z"),
              Passing("eu-central-1", 2, "alias/b", "2027-04-11T00:00:00Z")};
  run.regions = {{"", kAccount, "eu-central-1", control::RegionStatus::kScanned, "", 2}};
  run.totals = control::CountTotals(run.keys);
  run.calls = {{"ListKeys", {1, 0, 0}}};
  return run;
}

AuditRun FleetRun() {
  constexpr const char* kRegions[] = {"ap-southeast-2", "eu-central-1", "eu-west-1", "us-east-1"};
  AuditRun run = CompliantRun();
  run.run_id = "3c1f7a52-0f5e-4a53-9d51-7a1f0c6a9b10";
  run.endpoint = "AWS, https://kms.berlin.example.com";
  run.keys.clear();
  run.regions.clear();
  int number = 0;
  const auto add = [&](KeyResult key, const std::string& account, const std::string& endpoint) {
    key.facts.account = account;
    key.facts.endpoint_url = endpoint;
    key.facts.arn = fmt::format("arn:aws:kms:{}:{}:key/{}", std::string(key.facts.region), account,
                                std::string(key.facts.key_id));
    run.keys.push_back(std::move(key));
  };
  for (int a = 0; a < 10; ++a) {
    const std::string account = fmt::format("{:012}", 111122223333 + a);
    for (int r = 0; r < 4; ++r) {
      control::RegionResult region{"", account, kRegions[r], control::RegionStatus::kScanned,
                                   "", 0};
      if (a == 2 && r == 3) {
        region.status = control::RegionStatus::kDenied;
        region.detail = "ListKeys was denied: kms:ListKeys is missing.";
      } else if (r == 0 && a % 2 == 1) {
        region.status = control::RegionStatus::kNotEnabled;
        region.excused = true;
      } else if (a == 9) {
        region.status = control::RegionStatus::kClosed;
        region.detail = "the account (Sandbox) is suspended";
        region.excused = true;
      } else {
        for (int i = 0; i < (a + r) % 4; ++i) {
          add(Passing(kRegions[r], ++number, "alias/shop", "2027-02-11T00:00:00Z"), account, "");
        }
        if (a == 4) add(Failing(kRegions[r], ++number, {"alias/pay"}), account, "");
        if (a == 5 && r == 2) {
          KeyResult key = MakeKey(kRegions[r], ++number, Verdict::kUnknown, 10, "It was denied.");
          add(std::move(key), account, "");
        }
        if (a == 3 && r == 1) {
          KeyResult key = MakeKey(kRegions[r], ++number, Verdict::kExcepted, 15, "Accepted.");
          key.judgement.exception_id = "legacy";
          add(std::move(key), account, "");
        }
      }
      region.keys_listed = static_cast<std::uint64_t>(
          std::count_if(run.keys.begin(), run.keys.end(), [&](const KeyResult& key) {
            return key.facts.account == account && key.facts.region == kRegions[r];
          }));
      run.regions.push_back(std::move(region));
    }
  }
  const std::string berlin = "https://kms.berlin.example.com";
  add(Failing("eu-central-1", ++number, {"alias/own"}), kAccount, berlin);
  run.regions.push_back({berlin, kAccount, "eu-central-1", control::RegionStatus::kScanned, "", 1});
  run.totals = control::CountTotals(run.keys);
  return run;
}

ChangeReport SampleChange(ChangeKind kind) {
  ChangeReport report;
  report.kind = kind;
  report.journal = "rotation.journal";
  report.plan_id = "9b74c9897bac770ffc029102a200c5de";
  report.started = At("2026-11-24T08:16:00Z");
  report.finished = At("2026-11-24T08:16:09Z");
  const bool back = kind == ChangeKind::kBackout;
  const auto line = [&](int number, Outcome outcome, const char* detail) {
    const KeyResult key = Failing("eu-central-1", number, {});
    const std::string on = "on, every 365 days";
    report.lines.push_back({key.facts.arn, "eu-central-1", back ? on : "off", back ? "off" : on,
                            outcome, detail, "5f1c0de0-0000-4000-8000-00000000000a"});
  };
  line(1, Outcome::kDone, "");
  line(2, Outcome::kRefused, "The key changed since the plan: state is Disabled, not Enabled.");
  line(3, Outcome::kFailed, "EnableKeyRotation: AccessDeniedException");
  line(4, Outcome::kUnchanged, "Rotation was on already.");
  if (back) {
    report.reason = "Batch job <nightly> pins key material";
    report.notes = {"Material that was rotated in the meantime stays; the schedule restarts."};
  }
  return report;
}

HtmlOptions SampleHtmlOptions() {
  HtmlOptions options;
  options.exceptions = {{"legacy-hsm-export", "alias/legacy/*", "Dana Ito <dana@example.com>",
                         "CISO", "SEC-1482", "Vendor appliance cannot follow rotation",
                         "2027-02-28"}};
  options.changes = {SampleChange(ChangeKind::kApply), SampleChange(ChangeKind::kVerify),
                     SampleChange(ChangeKind::kBackout)};
  return options;
}

}  // namespace keyturn::report
