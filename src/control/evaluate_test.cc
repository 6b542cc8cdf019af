// Every row of the verdict table, and what must hold for facts of any kind.
#include "control/evaluate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "control/evaluate_facts.h"

namespace keyturn::control {
namespace {

using testing::HasSubstr;

struct Row {
  const char* name;
  std::function<void(KeyFacts&)> change;
  int row;
  Verdict verdict;
  bool remediable;
  const char* reason_has;
  EvaluationPolicy policy{};
};

class VerdictTable : public testing::TestWithParam<Row> {};

TEST_P(VerdictTable, Row) {
  const Row& row = GetParam();
  KeyFacts facts = GoodKey();
  row.change(facts);
  const Judgement judgement = EvaluateKey(facts, row.policy);
  EXPECT_EQ(VerdictName(judgement.verdict), VerdictName(row.verdict));
  EXPECT_EQ(judgement.row, row.row);
  EXPECT_EQ(judgement.remediable, row.remediable);
  EXPECT_EQ(judgement.raw_verdict, judgement.verdict);
  EXPECT_THAT(judgement.reason, HasSubstr(row.reason_has));
}

INSTANTIATE_TEST_SUITE_P(
    Rows, VerdictTable,
    testing::Values(
        Row{"DescribeDenied",
            [](KeyFacts& f) { f.describe_failure = Failure("DescribeKey", "AccessDeniedException"); },
            1, Verdict::kUnknown, false, "kms:DescribeKey is denied"},
        Row{"DescribeTimedOut",
            [](KeyFacts& f) { f.describe_failure = Failure("DescribeKey", "Timeout"); }, 1,
            Verdict::kUnknown, false, "DescribeKey failed with Timeout"},
        Row{"DescribeWithoutSpec", [](KeyFacts& f) { f.key_spec.clear(); }, 1, Verdict::kUnknown,
            false, "key spec"},
        Row{"DescribeWithoutOrigin", [](KeyFacts& f) { f.origin.clear(); }, 1, Verdict::kUnknown,
            false, "origin"},
        Row{"DescribeWithoutManager", [](KeyFacts& f) { f.key_manager.clear(); }, 1,
            Verdict::kUnknown, false, "who manages"},
        Row{"UnknownOrigin", [](KeyFacts& f) { f.origin = "MOON"; }, 1, Verdict::kUnknown, false,
            "MOON"},
        Row{"Gone",
            [](KeyFacts& f) { f.describe_failure = Failure("DescribeKey", "NotFoundException"); },
            2, Verdict::kGone, false, "deleted"},
        Row{"GoneBetweenTheCalls",
            [](KeyFacts& f) {
              f.rotation.reset();
              f.rotation_failure = Failure("GetKeyRotationStatus", "NotFoundException");
            },
            2, Verdict::kGone, false, "deleted"},
        Row{"AwsManaged", [](KeyFacts& f) { f = KeyFacts{}; f.key_manager = "AWS"; }, 3,
            Verdict::kNotApplicable, false, "AWS managed"},
        Row{"AwsManagedAndOff", [](KeyFacts& f) { f.key_manager = "AWS"; f.rotation->enabled = false; },
            3, Verdict::kNotApplicable, false, "AWS managed"},
        Row{"Rsa", [](KeyFacts& f) { f.key_spec = "RSA_2048"; f.rotation.reset(); }, 4,
            Verdict::kNotApplicable, false, "RSA_2048"},
        Row{"HmacSaysFalse", [](KeyFacts& f) { f.key_spec = "HMAC_256"; f.rotation->enabled = false; },
            4, Verdict::kNotApplicable, false, "HMAC_256"},
        Row{"FutureSpec", [](KeyFacts& f) { f.key_spec = "PQ_9000"; }, 4, Verdict::kNotApplicable,
            false, "PQ_9000"},
        Row{"RsaInPendingDeletion",
            [](KeyFacts& f) { f.key_spec = "RSA_2048"; f.key_state = "PendingDeletion"; }, 4,
            Verdict::kNotApplicable, false, "RSA_2048"},
        Row{"CloudHsm", [](KeyFacts& f) { f.origin = "AWS_CLOUDHSM"; }, 5,
            Verdict::kNotApplicable, false, "custom key store"},
        Row{"UnavailableXks",
            [](KeyFacts& f) { f.origin = "EXTERNAL_KEY_STORE"; f.key_state = "Unavailable"; }, 5,
            Verdict::kNotApplicable, false, "EXTERNAL_KEY_STORE"},
        Row{"Imported", [](KeyFacts& f) { f.origin = "EXTERNAL"; f.rotation->enabled = false; }, 6,
            Verdict::kNotApplicable, false, "imported"},
        Row{"PendingImport",
            [](KeyFacts& f) { f.origin = "EXTERNAL"; f.key_state = "PendingImport"; }, 6,
            Verdict::kNotApplicable, false, "imported"},
        Row{"Creating", [](KeyFacts& f) { f.key_state = "Creating"; f.rotation.reset(); }, 7,
            Verdict::kUnknown, false, "Creating"},
        Row{"UnknownState", [](KeyFacts& f) { f.key_state = "Dreaming"; }, 7, Verdict::kUnknown,
            false, "Dreaming"},
        Row{"NoState", [](KeyFacts& f) { f.key_state.clear(); }, 7, Verdict::kUnknown, false,
            "state"},
        Row{"PendingDeletion",
            [](KeyFacts& f) {
              f.key_state = "PendingDeletion";
              f.deletion_date = ParseIso8601("2026-12-01");
            },
            8, Verdict::kSkipped, false, "2026-12-01"},
        Row{"PendingReplicaDeletion", [](KeyFacts& f) { f.key_state = "PendingReplicaDeletion"; },
            8, Verdict::kSkipped, false, "PendingReplicaDeletion"},
        Row{"DisabledKeepsItsSetting", [](KeyFacts& f) { f.key_state = "Disabled"; }, 9,
            Verdict::kSkipped, false, "it keeps rotation every 365 days"},
        Row{"DisabledOff",
            [](KeyFacts& f) { f.key_state = "Disabled"; f.rotation->enabled = false; }, 9,
            Verdict::kSkipped, false, "rotation is off"},
        Row{"StrictDisabledOff",
            [](KeyFacts& f) { f.key_state = "Disabled"; f.rotation->enabled = false; }, 9,
            Verdict::kFail, false, "disabled", EvaluationPolicy{365, true}},
        Row{"StrictDisabledOn", [](KeyFacts& f) { f.key_state = "Disabled"; }, 9, Verdict::kPass,
            false, "disabled", EvaluationPolicy{365, true}},
        Row{"StrictDisabledUnknown",
            [](KeyFacts& f) { f.key_state = "Disabled"; f.rotation.reset(); }, 9,
            Verdict::kUnknown, false, "disabled", EvaluationPolicy{365, true}},
        Row{"StatusDenied",
            [](KeyFacts& f) {
              f.rotation.reset();
              f.rotation_failure = Failure("GetKeyRotationStatus", "AccessDeniedException");
            },
            10, Verdict::kUnknown, false, "kms:GetKeyRotationStatus is denied"},
        Row{"StatusThrottled",
            [](KeyFacts& f) {
              f.rotation.reset();
              f.rotation_failure = Failure("GetKeyRotationStatus", "Throttled");
            },
            10, Verdict::kUnknown, false, "Throttled"},
        Row{"StatusUnsupported",
            [](KeyFacts& f) {
              f.rotation.reset();
              f.rotation_failure = Failure("GetKeyRotationStatus", "UnsupportedOperationException");
            },
            10, Verdict::kUnknown, false, "UnsupportedOperationException"},
        Row{"StatusNotRead", [](KeyFacts& f) { f.rotation.reset(); }, 10, Verdict::kUnknown, false,
            "not read"},
        Row{"PeriodNotSaid", [](KeyFacts& f) { f.rotation->period_days.reset(); }, 10,
            Verdict::kUnknown, false, "period"},
        Row{"ReplicaAlone",
            [](KeyFacts& f) {
              f.multi_region = true;
              f.multi_region_type = "REPLICA";
              f.primary_region = "us-west-2";
              f.rotation->enabled = false;
            },
            11, Verdict::kFail, false, "blocked: the primary in us-west-2"},
        Row{"MultiRegionOfNoKind", [](KeyFacts& f) { f.multi_region = true; }, 1,
            Verdict::kUnknown, false, "replica"},
        Row{"Pass", [](KeyFacts&) {}, 12, Verdict::kPass, false, "365 days"},
        Row{"PassAtTheMaximum", [](KeyFacts& f) { f.rotation->period_days = 90; }, 12,
            Verdict::kPass, false, "90 days", EvaluationPolicy{90, false}},
        Row{"PassPrimary", [](KeyFacts& f) { f = Primary(); }, 12, Verdict::kPass, false, "365"},
        Row{"FailPeriod", [](KeyFacts& f) { f.rotation->period_days = 366; }, 13,
            Verdict::kFailPeriod, true, "366 days"},
        Row{"FailPeriodOfPolicy", [](KeyFacts& f) { f.rotation->period_days = 91; }, 13,
            Verdict::kFailPeriod, true, "maximum of 90", EvaluationPolicy{90, false}},
        Row{"Fail", [](KeyFacts& f) { f.rotation->enabled = false; }, 14, Verdict::kFail, true,
            "off"},
        Row{"FailWithEvidence",
            [](KeyFacts& f) {
              f.rotation->enabled = false;
              f.last_rotation_date = ParseIso8601("2026-10-01");
              f.last_rotation_type = "ON_DEMAND";
            },
            14, Verdict::kFail, true, "rotated on demand on 2026-10-01"}),
    [](const auto& row) { return row.param.name; });

// --- Properties ----------------------------------------------------------------------------------

class AnyFacts {
 public:
  explicit AnyFacts(unsigned seed) : engine_(seed) {}

  KeyFacts Next(std::size_t index) {
    KeyFacts facts = GoodKey(std::to_string(index));
    facts.key_manager = Pick({"CUSTOMER", "CUSTOMER", "CUSTOMER", "AWS", ""});
    facts.key_spec = Pick({"SYMMETRIC_DEFAULT", "SYMMETRIC_DEFAULT", "RSA_4096", "HMAC_224", ""});
    facts.origin = Pick({"AWS_KMS", "AWS_KMS", "AWS_KMS", "EXTERNAL", "AWS_CLOUDHSM", "", "?"});
    facts.key_state = Pick({"Enabled", "Enabled", "Enabled", "Disabled", "PendingDeletion",
                            "Creating", "Unavailable", "", "?"});
    if (Chance(3)) facts.rotation->enabled = false;
    if (Chance(4)) facts.rotation->period_days = static_cast<int>(engine_() % 3000);
    if (Chance(6)) facts.rotation->period_days.reset();
    if (Chance(6)) facts.rotation.reset();
    if (Chance(8)) facts.rotation_failure = Failure("GetKeyRotationStatus", Code());
    if (Chance(8)) facts.describe_failure = Failure("DescribeKey", Code());
    if (Chance(4)) {
      facts.multi_region = true;
      facts.multi_region_type = Pick({"PRIMARY", "REPLICA", "REPLICA", ""});
      facts.primary_arn = GoodKey(std::to_string(engine_() % 40)).arn;
    }
    return facts;
  }

 private:
  std::string Pick(std::vector<std::string> from) { return from[engine_() % from.size()]; }
  bool Chance(unsigned n) { return engine_() % n == 0; }
  const char* Code() {
    constexpr const char* kCodes[] = {"AccessDeniedException", "NotFoundException", "Throttled"};
    return kCodes[engine_() % 3];
  }
  std::mt19937 engine_;
};

TEST(VerdictProperties, EveryKeyIsAccountedForAndMissingDataIsNeverAVerdict) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    AnyFacts any(seed);
    std::vector<KeyFacts> facts;
    for (std::size_t i = 0; i < 40; ++i) facts.push_back(any.Next(i));
    ExceptionList exceptions;
    exceptions.entries = {Excepting("A", facts[3].arn, "2027-01-01"),
                          Excepting("B", facts[4].arn, "2020-01-01")};
    const auto keys = JudgedAll(facts, exceptions, nullptr, {365, seed % 2 == 0});
    const Totals totals = CountTotals(keys);
    std::uint64_t sum = 0;
    for (const auto& [verdict, count] : totals.by_verdict) sum += count;
    ASSERT_EQ(sum, totals.listed);
    ASSERT_EQ(totals.listed, facts.size());
    for (const KeyResult& key : keys) {
      const KeyFacts& f = key.facts;
      const Judgement& j = key.judgement;
      ASSERT_GT(j.row, 0);
      ASSERT_FALSE(j.reason.empty());
      const bool judged = j.raw_verdict == Verdict::kPass || j.raw_verdict == Verdict::kFail ||
                          j.raw_verdict == Verdict::kFailPeriod;
      const bool known = f.rotation && !f.rotation_failure && !f.describe_failure;
      if (judged && !j.follows_primary) {
        ASSERT_TRUE(known) << j.reason;
      }
      if (j.raw_verdict == Verdict::kPass && !j.follows_primary) {
        ASSERT_TRUE(f.rotation->enabled && f.rotation->period_days &&
                    *f.rotation->period_days <= 365);
      }
      if (j.remediable) {
        ASSERT_TRUE(j.verdict == Verdict::kFail || j.verdict == Verdict::kFailPeriod);
        ASSERT_TRUE(f.key_state == "Enabled" && f.key_manager == "CUSTOMER" &&
                    f.origin == "AWS_KMS" && f.key_spec == "SYMMETRIC_DEFAULT" && !IsReplica(f));
      }
    }
  }
}

}  // namespace
}  // namespace keyturn::control
