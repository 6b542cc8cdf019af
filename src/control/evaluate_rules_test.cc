// What decides of a key besides its own facts: its primary, exceptions, and the rules of a policy.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/evaluate_facts.h"

namespace keyturn::control {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// --- Replicas ------------------------------------------------------------------------------------

TEST(ReplicaTest, TakesItsPrimarysVerdictAndCountsOnce) {
  KeyFacts primary = Primary();
  primary.rotation->enabled = false;
  KeyFacts replica = ReplicaOf(primary);
  replica.rotation.reset();  // never asked for
  const auto keys = JudgedAll({replica, primary});
  EXPECT_EQ(keys[0].judgement.verdict, Verdict::kFail);
  EXPECT_EQ(keys[0].judgement.row, 11);
  EXPECT_TRUE(keys[0].judgement.follows_primary);
  EXPECT_FALSE(keys[0].judgement.remediable);
  EXPECT_TRUE(keys[1].judgement.remediable);
  const Totals totals = CountTotals(keys);
  EXPECT_EQ(totals.followers, 1U);
  EXPECT_EQ(totals.listed, 2U);
  EXPECT_EQ(totals.compliance_percent, 0.0);
}

TEST(ReplicaTest, PassesWithItsPrimary) {
  const KeyFacts primary = Primary();
  const auto keys = JudgedAll({primary, ReplicaOf(primary), OffKey()});
  EXPECT_EQ(keys[1].judgement.verdict, Verdict::kPass);
  EXPECT_EQ(CountTotals(keys).compliance_percent, 50.0);
}

TEST(ReplicaTest, IsJudgedByItsOwnCopyAndBlockedWhenThePrimaryWasDenied) {
  KeyFacts primary = Primary();
  KeyFacts replica = ReplicaOf(primary);
  replica.rotation->enabled = false;
  primary.rotation.reset();
  primary.rotation_failure = Failure("GetKeyRotationStatus", "AccessDeniedException");
  const auto keys = JudgedAll({primary, replica});
  EXPECT_EQ(keys[1].judgement.verdict, Verdict::kFail);
  EXPECT_FALSE(keys[1].judgement.follows_primary);
  EXPECT_THAT(keys[1].judgement.reason, HasSubstr("blocked"));
}

TEST(ReplicaTest, DoesNotPassWhileItsPrimaryIsDisabled) {
  KeyFacts primary = Primary();
  KeyFacts replica = ReplicaOf(primary);
  primary.key_state = "Disabled";
  EXPECT_EQ(JudgedAll({primary, replica})[1].judgement.verdict, Verdict::kSkipped);
  replica.rotation->enabled = false;
  const auto keys = JudgedAll({primary, replica});
  EXPECT_EQ(keys[1].judgement.verdict, Verdict::kFail);
  EXPECT_THAT(keys[1].judgement.reason, AllOf(HasSubstr("blocked"), HasSubstr("is Disabled")));
}

TEST(ReplicaTest, OwnStateComesFirst) {
  const KeyFacts primary = Primary();
  KeyFacts replica = ReplicaOf(primary);
  replica.key_state = "PendingDeletion";
  EXPECT_EQ(JudgedAll({primary, replica})[1].judgement.row, 8);
}

// --- Exceptions ----------------------------------------------------------------------------------

std::string NotesText(const std::vector<ExceptionNote>& notes) {
  std::string text;
  for (const auto& note : notes) text += note.id + " " + note.problem + "; ";
  return text;
}

TEST(ExceptionRowTest, AValidExceptionTurnsAFailIntoExcepted) {
  std::vector<ExceptionNote> notes;
  const auto keys =
      JudgedAll({OffKey()}, {"f", "", {Excepting("E1", OffKey().arn, "2026-11-24")}}, &notes);
  const Judgement& judgement = keys[0].judgement;
  EXPECT_EQ(judgement.verdict, Verdict::kExcepted);
  EXPECT_EQ(judgement.raw_verdict, Verdict::kFail);
  EXPECT_EQ(judgement.row, 15);
  EXPECT_FALSE(judgement.remediable);
  EXPECT_EQ(judgement.exception_id, "E1");
  EXPECT_TRUE(notes.empty()) << "valid through the end of its day";
}

TEST(ExceptionRowTest, AnExpiredOneChangesNothingAndIsReported) {
  std::vector<ExceptionNote> notes;
  const auto keys =
      JudgedAll({OffKey()}, {"f", "", {Excepting("E1", OffKey().arn, "2026-11-23")}}, &notes);
  EXPECT_EQ(keys[0].judgement.verdict, Verdict::kFail);
  EXPECT_TRUE(keys[0].judgement.remediable);
  EXPECT_EQ(keys[0].judgement.exception_id, "E1");
  EXPECT_THAT(keys[0].judgement.reason, HasSubstr("expired on 2026-11-23"));
  EXPECT_EQ(NotesText(notes), "E1 expired on 2026-11-23; ");
}

TEST(ExceptionRowTest, UnusedAndOverlappingOnesAreReported) {
  std::vector<ExceptionNote> notes;
  JudgedAll(
      {OffKey()},
      {"f",
       "",
       {Excepting("A", OffKey().arn, "2027-01-01"), Excepting("B", OffKey().arn, "2027-01-01"),
        Excepting("C", "arn:aws:kms:x:y:key/z", "2027-01-01")}},
      &notes);
  EXPECT_EQ(NotesText(notes), "B overlaps with A; C matches no key; ");
}

TEST(ExceptionRowTest, TheValidOneOfSeveralApplies) {
  const auto keys = JudgedAll({OffKey()}, {"f",
                                           "",
                                           {Excepting("A", OffKey().arn, "2020-01-01"),
                                            Excepting("B", OffKey().arn, "2027-01-01")}});
  EXPECT_EQ(keys[0].judgement.exception_id, "B");
  EXPECT_EQ(keys[0].judgement.verdict, Verdict::kExcepted);
}

TEST(ExceptionRowTest, APassNeedsNoException) {
  const auto keys =
      JudgedAll({GoodKey()}, {"f", "", {Excepting("A", GoodKey().arn, "2027-01-01")}});
  EXPECT_EQ(keys[0].judgement.verdict, Verdict::kPass);
  EXPECT_EQ(keys[0].judgement.exception_id, "");
}

ExceptionList ByAliasAndTag() {
  Exception alias = Excepting("A", "", "2027-01-01");
  alias.match.alias = "alias/batch";
  Exception tag = Excepting("T", "", "2027-01-01");
  tag.match.tag_key = "rotation";
  tag.match.tag_value = "exempt";
  return {"f", "", {alias, tag}};
}

TEST(ExceptionRowTest, AKeyThatOneMayBeAboutIsUnknownAndNotChanged) {
  KeyFacts no_aliases = OffKey("1");
  no_aliases.aliases_unknown = true;
  KeyFacts no_tags = OffKey("2");
  no_tags.tags_failure = Failure("ListResourceTags", "AccessDeniedException");
  std::vector<ExceptionNote> notes;
  const auto keys = JudgedAll({no_aliases, no_tags, OffKey("3")}, ByAliasAndTag(), &notes);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(keys[i].judgement.verdict, Verdict::kUnknown);
    EXPECT_EQ(keys[i].judgement.raw_verdict, Verdict::kFail);
    EXPECT_EQ(keys[i].judgement.row, 15);
    EXPECT_EQ(keys[i].judgement.exception_id, i == 0 ? "A" : "T");
    EXPECT_FALSE(keys[i].judgement.remediable);
  }
  EXPECT_THAT(keys[0].judgement.reason,
              AllOf(HasSubstr("exception A"), HasSubstr("ListAliases failed")));
  EXPECT_THAT(keys[1].judgement.reason,
              AllOf(HasSubstr("exception T"),
                    HasSubstr("ListResourceTags failed with AccessDeniedException")));
  EXPECT_EQ(keys[2].judgement.verdict, Verdict::kFail);
  EXPECT_TRUE(keys[2].judgement.remediable);
  EXPECT_TRUE(notes.empty()) << NotesText(notes);
}

TEST(ExceptionRowTest, WhatWasReadBeforeAFailureIsCertain) {
  KeyFacts facts = OffKey();
  facts.aliases_unknown = true;
  facts.aliases = {"alias/batch"};
  EXPECT_EQ(JudgedAll({facts}, ByAliasAndTag())[0].judgement.verdict, Verdict::kExcepted);
}

TEST(ExceptionRowTest, AnExpiredOneThatMayBeAboutAKeyIsNoDoubt) {
  KeyFacts facts = OffKey();
  facts.aliases_unknown = true;
  ExceptionList exceptions = ByAliasAndTag();
  exceptions.entries[0].valid_until = Now();
  EXPECT_EQ(JudgedAll({facts}, exceptions)[0].judgement.verdict, Verdict::kFail);
}

TEST(ExceptionRowTest, AReplicaIsInDoubtWithItsPrimary) {
  KeyFacts primary = Primary();
  primary.rotation->enabled = false;
  KeyFacts replica = ReplicaOf(primary);
  replica.rotation.reset();  // never asked for
  primary.aliases_unknown = true;
  const auto keys = JudgedAll({primary, replica}, ByAliasAndTag());
  EXPECT_EQ(keys[1].judgement.verdict, Verdict::kUnknown);
  EXPECT_TRUE(keys[1].judgement.follows_primary);
  EXPECT_THAT(keys[1].judgement.reason, HasSubstr("exception A"));
}

TEST(ExceptionRowTest, AReplicaFollowsItsExceptedPrimary) {
  KeyFacts primary = Primary();
  primary.rotation->enabled = false;
  const auto keys = JudgedAll({primary, ReplicaOf(primary)},
                              {"f", "", {Excepting("A", primary.arn, "2027-01-01")}});
  EXPECT_EQ(keys[1].judgement.verdict, Verdict::kExcepted);
  EXPECT_EQ(keys[1].judgement.raw_verdict, Verdict::kFail);
}

// --- Policies ------------------------------------------------------------------------------------

EvaluationPolicy PolicyAt(const char* at) {
  EvaluationPolicy policy;
  policy.at = *ParseIso8601(at);
  return policy;
}

TEST(PolicyRules, ImportedKeysAreJudgedByTheirLastRotation) {
  EvaluationPolicy policy = PolicyAt("2026-11-24");
  policy.judge_imported = true;
  KeyFacts facts = GoodKey();
  facts.origin = "EXTERNAL";
  facts.rotation.reset();
  facts.creation_date = ParseIso8601("2024-01-01");
  EXPECT_TRUE(WantsRotations(facts, policy));
  EXPECT_EQ(EvaluateKey(facts, policy).verdict, Verdict::kUnknown);
  facts.rotations_read = true;
  Judgement judgement = EvaluateKey(facts, policy);
  EXPECT_EQ(judgement.verdict, Verdict::kFail);
  EXPECT_EQ(judgement.row, 6);
  EXPECT_FALSE(judgement.remediable);
  EXPECT_THAT(judgement.reason, HasSubstr("never rotated since the key was made on 2024-01-01"));
  facts.last_rotation_date = ParseIso8601("2025-11-24");
  facts.last_rotation_type = "ON_DEMAND";
  EXPECT_EQ(EvaluateKey(facts, policy).verdict, Verdict::kPass) << "365 days are not longer";
  policy.imported_max_age_days = 364;
  EXPECT_THAT(EvaluateKey(facts, policy).reason,
              HasSubstr("365 days ago, longer than the maximum of 364"));
  facts.rotations_failure = CallFailure{"ListKeyRotations", "AccessDeniedException", "", {}};
  EXPECT_THAT(EvaluateKey(facts, policy).reason, HasSubstr("kms:ListKeyRotations is denied"));
  EXPECT_EQ(EvaluateKey(facts, policy).verdict, Verdict::kUnknown);
  facts.key_state = "PendingImport";
  EXPECT_EQ(EvaluateKey(facts, policy).verdict, Verdict::kNotApplicable);
  EXPECT_FALSE(WantsRotations(facts, policy));
}

TEST(PolicyRules, ARecentRotationOnDemandCountsWhereThePolicySaysSo) {
  EvaluationPolicy policy = PolicyAt("2026-11-24");
  KeyFacts facts = OffKey();
  EXPECT_FALSE(WantsRotations(facts, policy));
  policy.on_demand_counts = true;
  policy.on_demand_max_age_days = 30;
  EXPECT_TRUE(WantsRotations(facts, policy));
  EXPECT_FALSE(WantsRotations(GoodKey(), policy));
  facts.rotations_read = true;
  EXPECT_EQ(EvaluateKey(facts, policy).verdict, Verdict::kFail);
  facts.last_rotation_date = ParseIso8601("2026-10-25");
  facts.last_rotation_type = "ON_DEMAND";
  const Judgement judgement = EvaluateKey(facts, policy);
  EXPECT_EQ(judgement.verdict, Verdict::kPass);
  EXPECT_EQ(judgement.row, 14);
  EXPECT_THAT(judgement.reason, HasSubstr("30 days ago, which counts for 30 days"));
  policy.on_demand_max_age_days = 29;
  EXPECT_EQ(EvaluateKey(facts, policy).verdict, Verdict::kFail);
  EXPECT_TRUE(EvaluateKey(facts, policy).remediable);
  facts.last_rotation_type = "AUTOMATIC";
  policy.on_demand_max_age_days = 300;
  EXPECT_EQ(EvaluateKey(facts, policy).verdict, Verdict::kFail);
}

TEST(PolicyRules, AKeyOutOfScopeIsNotApplicableAndAnUncertainOneUnknown) {
  EvaluationPolicy policy;
  policy.scope.exclude = {{.tag_key = "env", .tag_value = "sandbox"}};
  KeyFacts facts = OffKey();
  EXPECT_TRUE(WantsScopeTags(facts, policy));
  KeyFacts asymmetric = facts;
  asymmetric.key_spec = "RSA_2048";
  EXPECT_FALSE(WantsScopeTags(asymmetric, policy)) << "it is not judged anyway";
  facts.tags = {{"env", "sandbox"}};
  const Judgement out = EvaluateKey(facts, policy);
  EXPECT_EQ(out.verdict, Verdict::kNotApplicable);
  EXPECT_EQ(out.row, 16);
  EXPECT_FALSE(out.remediable);
  facts.tags_failure = CallFailure{"ListResourceTags", "AccessDeniedException", "", {}};
  facts.tags.clear();
  EXPECT_EQ(EvaluateKey(facts, policy).verdict, Verdict::kUnknown);
}

TEST(PolicyRules, ReplicasFollowOnlyPrimariesInScope) {
  EvaluationPolicy policy;
  policy.scope.exclude = {{.region = "us-east-1"}};
  const auto verdicts = [&policy](const std::vector<KeyFacts>& facts) {
    std::vector<std::pair<Verdict, bool>> out;
    for (const KeyResult& key : JudgedAll(facts, {}, nullptr, policy)) {
      out.emplace_back(key.judgement.verdict, key.judgement.follows_primary);
    }
    return out;
  };
  const std::vector<KeyFacts> keys = {Primary(), ReplicaOf(Primary())};
  EXPECT_THAT(verdicts(keys), testing::ElementsAre(std::pair(Verdict::kPass, false),
                                                   std::pair(Verdict::kNotApplicable, false)));
  policy.scope.exclude = {{.region = "eu-central-1"}};
  EXPECT_THAT(verdicts(keys), testing::ElementsAre(std::pair(Verdict::kNotApplicable, false),
                                                   std::pair(Verdict::kPass, false)));
}

}  // namespace
}  // namespace keyturn::control
