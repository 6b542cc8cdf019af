// Who is allowed: statements, principals and the rules that join key and identity policies.
#include <gtest/gtest.h>

#include "policy/pattern.h"
#include "policy/policy.h"

namespace keyturn::policy {
namespace {

constexpr char kKeyArn[] =
    "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
constexpr char kAnnaArn[] = "arn:aws:iam::111122223333:user/staff/anna";

const model::AccountId kOwner = *model::AccountId::Parse("111122223333");
const model::AccountId kOther = *model::AccountId::Parse("444455556666");
const Principal kAnna{kOwner, kAnnaArn};
const Principal kRoot{kOwner, "arn:aws:iam::111122223333:root", true};
const Principal kEve{kOther, "arn:aws:iam::444455556666:user/eve"};
const Principal kOtherRoot{kOther, "arn:aws:iam::444455556666:root", true};
const Principal kSession{kOwner, "arn:aws:sts::111122223333:assumed-role/Ops/monday"};

PolicyPtr Key(std::string_view statements) {
  auto policy = Compile(R"({"Statement":[)" + std::string(statements) + "]}", Kind::kKeyPolicy);
  EXPECT_TRUE(policy) << (policy ? "" : policy.error().message);
  return policy ? *policy : nullptr;
}

PolicyPtr Identity(std::string_view effect, std::string_view action,
                   std::string_view resource = "*") {
  std::string text = R"({"Statement":[{"Effect":")";
  text.append(effect).append(R"(","Action":")").append(action);
  text.append(R"(","Resource":")").append(resource).append("\"}]}");
  auto policy = Compile(text, Kind::kIdentityPolicy);
  EXPECT_TRUE(policy);
  return *policy;
}

std::string Statement(std::string_view effect, std::string_view aws, std::string_view action) {
  std::string text = R"({"Effect":")";
  text.append(effect).append(R"(","Principal":{"AWS":")").append(aws);
  text.append(R"("},"Action":")").append(action).append(R"(","Resource":"*"})");
  return text;
}

Effect EffectOf(const PolicyPtr& policy, const Principal& principal, std::string_view action) {
  return Evaluate(*policy, Request{action, kKeyArn, &principal});
}

// Outcome is "" when allowed, else the reason.
std::string Outcome(const Principal& principal, const PolicyPtr& key,
                    const std::vector<PolicyPtr>& identity,
                    std::string_view action = "kms:Encrypt") {
  const KeySide side{key.get(), &kOwner, {}};
  const Decision decision = Authorize(Request{action, kKeyArn, &principal}, &side, {identity});
  EXPECT_EQ(decision.allowed, decision.reason.empty());
  return decision.reason;
}

const std::vector<PolicyPtr> kNoIdentityPolicies;

TEST(Pattern, StarAndQuestionMark) {
  const auto matches = [](std::string_view pattern, std::string_view subject) {
    return Pattern::Make(pattern, Case::kSensitive).Matches(subject);
  };
  EXPECT_TRUE(matches("*", ""));
  EXPECT_TRUE(matches("", ""));
  EXPECT_FALSE(matches("", "a"));
  EXPECT_FALSE(matches("?", ""));
  EXPECT_TRUE(matches("a*", "a"));
  EXPECT_TRUE(matches("a*c*e", "abcde"));
  EXPECT_TRUE(matches("*ab*", "aab"));
  EXPECT_TRUE(matches("a?c", "abc"));
  EXPECT_FALSE(matches("a?c", "ac"));
  EXPECT_FALSE(matches("a*c", "abcd"));
  EXPECT_FALSE(matches("A*", "abc"));
  EXPECT_FALSE(matches("abcd*", "abc"));
  EXPECT_TRUE(Pattern::Make("A*C", Case::kInsensitive).Matches("abC"));
}

TEST(Pattern, AQuestionMarkIsACharacterHoweverManyBytesItHas) {
  const auto matches = [](std::string_view pattern, std::string_view subject) {
    return Pattern::Make(pattern, Case::kSensitive).Matches(subject);
  };
  for (const char* one : {"e", "\u00E9", "\u20AC", "\U0001F511"}) {
    const std::string word = std::string("caf") + one;
    EXPECT_TRUE(matches("caf?", word)) << word;
    EXPECT_TRUE(matches("*?", word)) << word;
    EXPECT_TRUE(matches("c*f?", word)) << word;
    EXPECT_TRUE(matches("caf?s", word + "s")) << word;
    EXPECT_FALSE(matches("caf??", word)) << word;
    EXPECT_FALSE(matches("*f*??", word)) << word;
    EXPECT_FALSE(matches("*f??s", word + "s")) << word;
  }
  EXPECT_TRUE(matches("?", "\xA9"));  // the rest of a character that was cut
}

TEST(Pattern, ManyStarsDoNotExplode) {
  std::string stars;
  for (int i = 0; i < 200; ++i) {
    stars += "*a";
  }
  EXPECT_FALSE(Pattern::Make(stars + "b", Case::kSensitive).Matches(std::string(2000, 'a')));
}

TEST(Evaluate, ActionsMatchWithoutCaseAndWithWildcards) {
  const PolicyPtr policy = Key(R"({"Effect":"Allow","Principal":"*","Resource":"*",
                                   "Action":["KMS:encrypt","kms:Generate*Key","kms:?ign"]})");
  EXPECT_EQ(EffectOf(policy, kAnna, "kms:Encrypt"), Effect::kAllowDirect);
  EXPECT_EQ(EffectOf(policy, kAnna, "kms:GenerateDataKey"), Effect::kAllowDirect);
  EXPECT_EQ(EffectOf(policy, kAnna, "kms:Sign"), Effect::kAllowDirect);
  EXPECT_EQ(EffectOf(policy, kAnna, "kms:GenerateDataKeyPair"), Effect::kNone);
  EXPECT_EQ(EffectOf(policy, kAnna, "kms:Decrypt"), Effect::kNone);
}

// Who explains a policy asks for any action.
TEST(Evaluate, AnActionMayHaveAnyLength) {
  const PolicyPtr policy = Key(R"({"Effect":"Allow","Principal":"*","Resource":"*",
                                   "Action":["kms:x*y","kms:Z"]})");
  for (const std::size_t length : {0U, 1U, 58U, 59U, 60U, 500U}) {
    const std::string middle(length, 'M');
    EXPECT_EQ(EffectOf(policy, kAnna, "kms:X" + middle + "Y"), Effect::kAllowDirect) << length;
    EXPECT_EQ(EffectOf(policy, kAnna, "kms:X" + middle + "Z"), Effect::kNone) << length;
  }
}

TEST(Evaluate, NotActionIsEverythingElse) {
  const PolicyPtr policy = Key(R"({"Effect":"Allow","Principal":"*","Resource":"*",
                                   "NotAction":["kms:Decrypt","kms:Put*"]})");
  EXPECT_EQ(EffectOf(policy, kAnna, "kms:Encrypt"), Effect::kAllowDirect);
  EXPECT_EQ(EffectOf(policy, kAnna, "kms:decrypt"), Effect::kNone);
  EXPECT_EQ(EffectOf(policy, kAnna, "kms:PutKeyPolicy"), Effect::kNone);
}

TEST(Evaluate, KeyPolicyStatementWithoutActionOrResourceDoesNothing) {
  for (const char* members : {R"("Action":"*")", R"("Resource":"*")", R"("Sid":"x")"}) {
    for (const char* effect : {"Allow", "Deny"}) {
      const PolicyPtr policy =
          Key(std::string(R"({"Effect":")") + effect + R"(","Principal":"*",)" + members + "}");
      EXPECT_EQ(EffectOf(policy, kAnna, "kms:Encrypt"), Effect::kNone) << members << effect;
    }
  }
}

TEST(Evaluate, ResourceOfAKeyPolicyMustMatchTheKey) {
  const auto effect = [](std::string_view member) {
    return EffectOf(
        Key(R"({"Effect":"Allow","Principal":"*","Action":"*",)" + std::string(member) + "}"),
        kAnna, "kms:Encrypt");
  };
  EXPECT_EQ(effect(std::string(R"("Resource":")") + kKeyArn + "\""), Effect::kAllowDirect);
  EXPECT_EQ(effect(R"("Resource":"arn:aws:kms:*:111122223333:key/*")"), Effect::kAllowDirect);
  EXPECT_EQ(effect(R"("Resource":["arn:aws:kms:us-east-1:*", "arn:aws:kms:eu-*"])"),
            Effect::kAllowDirect);
  EXPECT_EQ(effect(R"("Resource":"arn:aws:kms:us-east-1:111122223333:key/*")"), Effect::kNone);
  EXPECT_EQ(effect(R"("Resource":"arn:aws:kms:*:111122223333:KEY/*")"), Effect::kNone);
  EXPECT_EQ(effect(R"("NotResource":"arn:aws:kms:us-east-1:*")"), Effect::kAllowDirect);
  EXPECT_EQ(effect(R"("NotResource":"*")"), Effect::kNone);
}

TEST(Evaluate, PrincipalsReachWhomTheyName) {
  const auto effect = [](std::string_view aws, const Principal& principal) {
    return EffectOf(Key(Statement("Allow", aws, "kms:*")), principal, "kms:Encrypt");
  };
  EXPECT_EQ(effect("*", kEve), Effect::kAllowDirect);
  EXPECT_EQ(effect(kAnnaArn, kAnna), Effect::kAllowDirect);
  EXPECT_EQ(effect("arn:aws:iam::111122223333:user/anna", kAnna), Effect::kNone);
  EXPECT_EQ(effect("arn:aws:iam::444455556666:user/staff/anna", kAnna), Effect::kNone);
  EXPECT_EQ(effect("111122223333", kAnna), Effect::kAllowAccount);
  EXPECT_EQ(effect("arn:aws:iam::111122223333:root", kAnna), Effect::kAllowAccount);
  EXPECT_EQ(effect("arn:aws:iam::111122223333:root", kRoot), Effect::kAllowDirect);
  EXPECT_EQ(effect("arn:aws:iam::111122223333:root", kEve), Effect::kNone);
  EXPECT_EQ(effect("arn:aws:iam::111122223333:role/path/Ops", kSession), Effect::kAllowRole);
  EXPECT_EQ(effect("arn:aws:iam::111122223333:role/Op", kSession), Effect::kNone);
  EXPECT_EQ(effect("arn:aws:iam::444455556666:role/Ops", kSession), Effect::kNone);
  EXPECT_EQ(effect("arn:aws:iam::111122223333:role/Ops", kAnna), Effect::kNone);
  EXPECT_EQ(effect("arn:aws:sts::111122223333:assumed-role/Ops/monday", kSession),
            Effect::kAllowDirect);
  EXPECT_EQ(effect("arn:aws:sts::111122223333:assumed-role/Ops/tuesday", kSession), Effect::kNone);
}

TEST(Evaluate, DirectBeatsAccountAndDenyBeatsBoth) {
  const std::string account = Statement("Allow", "111122223333", "kms:*");
  const std::string direct = Statement("Allow", kAnnaArn, "kms:*");
  const std::string deny = Statement("Deny", "111122223333", "kms:Encrypt");
  EXPECT_EQ(EffectOf(Key(account + "," + direct), kAnna, "kms:Encrypt"), Effect::kAllowDirect);
  EXPECT_EQ(EffectOf(Key(direct + "," + account), kAnna, "kms:Encrypt"), Effect::kAllowDirect);
  EXPECT_EQ(EffectOf(Key(account + "," + direct + "," + deny), kAnna, "kms:Encrypt"),
            Effect::kDeny);
  EXPECT_EQ(EffectOf(Key(deny + "," + direct), kAnna, "kms:Encrypt"), Effect::kDeny);
  EXPECT_EQ(EffectOf(Key(deny + "," + account), kRoot, "kms:Encrypt"), Effect::kDeny);
  EXPECT_EQ(EffectOf(Key(deny + "," + direct), kAnna, "kms:Decrypt"), Effect::kAllowDirect);
}

TEST(Authorize, SameAccountNeedsTheKeyPolicyAndMaybeAnIdentityPolicy) {
  const PolicyPtr delegating = Key(Statement("Allow", "111122223333", "kms:*"));
  const PolicyPtr direct = Key(Statement("Allow", kAnnaArn, "kms:Encrypt"));
  const PolicyPtr silent = Key(Statement("Allow", kAnnaArn, "kms:Decrypt"));
  const std::vector<PolicyPtr> allow = {Identity("Allow", "s3:*"), Identity("Allow", "kms:*")};
  EXPECT_EQ(Outcome(kAnna, direct, kNoIdentityPolicies), "");
  EXPECT_EQ(Outcome(kAnna, delegating, allow), "");
  EXPECT_EQ(Outcome(kAnna, delegating, kNoIdentityPolicies),
            "because no identity-based policy allows the kms:Encrypt action");
  EXPECT_EQ(Outcome(kAnna, delegating, {Identity("Allow", "kms:*", "arn:aws:kms:*:*:alias/*")}),
            "because no identity-based policy allows the kms:Encrypt action");
  EXPECT_EQ(Outcome(kAnna, silent, allow),
            "because no resource-based policy allows the kms:Encrypt action");
}

TEST(Authorize, AnExplicitDenyWinsWhereverItStands) {
  const PolicyPtr direct = Key(Statement("Allow", kAnnaArn, "kms:*"));
  const PolicyPtr denying =
      Key(Statement("Allow", kAnnaArn, "kms:*") + "," + Statement("Deny", "*", "kms:Encrypt"));
  const std::vector<PolicyPtr> deny = {Identity("Allow", "*"), Identity("Deny", "kms:Enc*")};
  EXPECT_EQ(Outcome(kAnna, denying, {Identity("Allow", "*")}),
            "with an explicit deny in a resource-based policy");
  EXPECT_EQ(Outcome(kAnna, direct, deny), "with an explicit deny in an identity-based policy");
  EXPECT_EQ(Outcome(kAnna, denying, deny), "with an explicit deny in a resource-based policy");
  EXPECT_EQ(Outcome(kAnna, direct, deny, "kms:Decrypt"), "");
}

TEST(Authorize, RootNeedsTheKeyPolicyAndNothingElse) {
  EXPECT_EQ(Outcome(kRoot, Key(Statement("Allow", "111122223333", "kms:*")), kNoIdentityPolicies),
            "");
  EXPECT_EQ(Outcome(kRoot, Key(Statement("Allow", kAnnaArn, "kms:*")), kNoIdentityPolicies),
            "because no resource-based policy allows the kms:Encrypt action");
}

TEST(Authorize, OtherAccountsNeedBothSides) {
  const PolicyPtr open = Key(Statement("Allow", "444455556666", "kms:*"));
  const PolicyPtr named = Key(Statement("Allow", kEve.arn, "kms:*"));
  const PolicyPtr closed = Key(Statement("Allow", "111122223333", "kms:*"));
  const PolicyPtr denying = Key(Statement("Deny", "444455556666", "kms:*"));
  const std::vector<PolicyPtr> allow = {Identity("Allow", "kms:Encrypt", kKeyArn)};
  EXPECT_EQ(Outcome(kEve, open, allow), "");
  EXPECT_EQ(Outcome(kEve, named, allow), "");
  EXPECT_EQ(Outcome(kOtherRoot, open, kNoIdentityPolicies), "");
  EXPECT_EQ(Outcome(kEve, open, kNoIdentityPolicies),
            "because no identity-based policy allows the kms:Encrypt action");
  EXPECT_EQ(Outcome(kEve, named, kNoIdentityPolicies),
            "because no identity-based policy allows the kms:Encrypt action");
  for (const auto& identity : {allow, kNoIdentityPolicies}) {
    EXPECT_EQ(Outcome(kEve, closed, identity), kReasonNoAccess);
    EXPECT_EQ(Outcome(kEve, denying, identity), kReasonNoAccess);
  }
  const std::vector<PolicyPtr> deny = {Identity("Deny", "*")};
  EXPECT_EQ(Outcome(kEve, open, deny), "with an explicit deny in an identity-based policy");
  // Her own Deny does not tell her that there is a key.
  EXPECT_EQ(Outcome(kEve, closed, deny), kReasonNoAccess);
  EXPECT_EQ(Outcome(kEve, denying, deny), kReasonNoAccess);
}

TEST(Authorize, WithoutAKeyIdentityPoliciesDecide) {
  const auto outcome = [](const Principal& principal, const std::vector<PolicyPtr>& identity) {
    return Authorize(Request{"kms:CreateKey", "*", &principal}, nullptr, {identity}).reason;
  };
  EXPECT_EQ(outcome(kAnna, {Identity("Allow", "kms:Create*")}), "");
  EXPECT_EQ(outcome(kRoot, kNoIdentityPolicies), "");
  EXPECT_EQ(outcome(kAnna, {Identity("Allow", "kms:*", "arn:aws:kms:*")}),
            "because no identity-based policy allows the kms:CreateKey action");
  EXPECT_EQ(outcome(kAnna, {Identity("Allow", "*"), Identity("Deny", "kms:CreateKey")}),
            "with an explicit deny in an identity-based policy");
}

TEST(Authorize, MessagesAreAwss) {
  const Request own{"kms:Encrypt", kKeyArn, &kAnna};
  const PolicyPtr silent = Key(Statement("Allow", "*", "kms:Decrypt"));
  const KeySide side{silent.get(), &kOwner, {}};
  EXPECT_EQ(AccessDeniedMessage(own, Authorize(own, &side, {})),
            "User: arn:aws:iam::111122223333:user/staff/anna is not authorized to perform: "
            "kms:Encrypt on resource: arn:aws:kms:eu-west-1:111122223333:key/"
            "1234abcd-12ab-34cd-56ef-1234567890ab because no resource-based policy allows the "
            "kms:Encrypt action");
  const Request foreign{"kms:Encrypt", kKeyArn, &kEve};
  EXPECT_EQ(AccessDeniedMessage(foreign, Authorize(foreign, &side, {})),
            "User: arn:aws:iam::444455556666:user/eve is not authorized to perform: kms:Encrypt "
            "on this resource because the resource does not exist in this Region, no "
            "resource-based policies allow access, or a resource-based policy explicitly denies "
            "access");
}

TEST(Evaluate, NotPrincipal) {
  const auto outcome = [](std::string_view effect, std::string_view aws, const Principal& who) {
    std::string text = R"({"Effect":")";
    text.append(effect).append(R"(","NotPrincipal":{"AWS":[)").append(aws);
    text.append(R"(]},"Action":"kms:*","Resource":"*"})");
    return EffectOf(Key(text), who, "kms:Encrypt");
  };
  const std::string anna = "\"" + std::string(kAnnaArn) + "\"";
  EXPECT_EQ(outcome("Deny", anna, kAnna), Effect::kNone);
  EXPECT_EQ(outcome("Deny", anna, kEve), Effect::kDeny);
  EXPECT_EQ(outcome("Deny", "\"111122223333\"", kAnna), Effect::kDeny);
  EXPECT_EQ(outcome("Deny", "\"111122223333\"", kRoot), Effect::kNone);
  EXPECT_EQ(outcome("Deny", "\"arn:aws:iam::111122223333:role/Ops\"", kSession), Effect::kNone);
  EXPECT_EQ(outcome("Allow", anna, kAnna), Effect::kNone);
  EXPECT_EQ(outcome("Allow", anna, kEve), Effect::kAllowDirect);
  EXPECT_EQ(outcome("Allow", "\"111122223333\"", kAnna), Effect::kNone);
}

TEST(Evaluate, ServicesAndProvidersAreNoCallersOfKeys) {
  const PolicyPtr policy = Key(
      R"({"Effect":"Allow","Principal":{"Service":["logs.amazonaws.com"],
          "Federated":"arn:aws:iam::111122223333:oidc-provider/id.example.com"},
          "Action":"*","Resource":"*"})");
  EXPECT_EQ(EffectOf(policy, kAnna, "kms:Encrypt"), Effect::kNone);
}

// The table of who may limit what: rows are the Allow, columns the implicit deny.
TEST(Authorize, BoundariesAndSessionPolicies) {
  const PolicyPtr none = Identity("Allow", "s3:*");
  const PolicyPtr all = Identity("Allow", "*");
  const PolicyPtr deny = Identity("Deny", "kms:*");
  const auto outcome = [&](const Principal& who, std::string_view aws, const PolicyPtr& boundary,
                           const PolicyPtr& session) {
    const PolicyPtr policy = Key(Statement("Allow", aws, "kms:*"));
    const KeySide side{policy.get(), &kOwner, {}};
    const std::vector<PolicyPtr> identity = {all};
    return Authorize(Request{"kms:Encrypt", kKeyArn, &who}, &side,
                     {identity, boundary.get(), session.get()})
        .reason;
  };
  const std::string_view account = "111122223333";
  const std::string_view role = "arn:aws:iam::111122223333:role/Ops";
  const char* const boundary_silent =
      "because no permissions boundary allows the kms:Encrypt action";
  const char* const session_silent = "because no session policy allows the kms:Encrypt action";
  EXPECT_EQ(outcome(kSession, kSession.arn, none, none), "");
  EXPECT_EQ(outcome(kSession, role, none, nullptr), boundary_silent);
  EXPECT_EQ(outcome(kSession, role, nullptr, none), session_silent);
  EXPECT_EQ(outcome(kSession, role, all, all), "");
  EXPECT_EQ(outcome(kSession, "*", nullptr, none), session_silent);
  EXPECT_EQ(outcome(kAnna, kAnnaArn, none, nullptr), "");
  EXPECT_EQ(outcome(kAnna, account, none, nullptr), boundary_silent);
  EXPECT_EQ(outcome(kSession, account, nullptr, none), session_silent);
  EXPECT_EQ(outcome(kSession, account, all, all), "");
  EXPECT_EQ(outcome(kSession, kSession.arn, deny, nullptr),
            "with an explicit deny in a permissions boundary");
  EXPECT_EQ(outcome(kSession, kSession.arn, nullptr, deny),
            "with an explicit deny in a session policy");
}

TEST(Authorize, GrantsStandOnTheKeysSide) {
  const PolicyPtr silent = Key(Statement("Allow", "111122223333", "kms:DescribeKey"));
  const PolicyPtr denying = Key(Statement("Deny", "*", "kms:*"));
  const PolicyPtr none = Identity("Allow", "s3:*");
  const std::vector<PolicyPtr> allow = {Identity("Allow", "kms:*")};
  const auto outcome = [&](const Principal& who, const PolicyPtr& key, GrantSide grant,
                           const std::vector<PolicyPtr>& identity, const PolicyPtr& session) {
    const KeySide side{key.get(), &kOwner, grant};
    return Authorize(Request{"kms:Encrypt", kKeyArn, &who}, &side,
                     {identity, nullptr, session.get()})
        .reason;
  };
  const GrantSide direct{Effect::kAllowDirect, false};
  const GrantSide role{Effect::kAllowRole, false};
  EXPECT_EQ(outcome(kAnna, silent, direct, {}, nullptr), "");
  EXPECT_EQ(outcome(kAnna, denying, direct, {}, nullptr),
            "with an explicit deny in a resource-based policy");
  EXPECT_EQ(outcome(kSession, silent, role, {}, none),
            "because no session policy allows the kms:Encrypt action");
  EXPECT_EQ(outcome(kSession, silent, direct, {}, none), "");
  EXPECT_EQ(outcome(kEve, silent, direct, {}, nullptr),
            "because no identity-based policy allows the kms:Encrypt action");
  EXPECT_EQ(outcome(kEve, silent, direct, allow, nullptr), "");
  EXPECT_EQ(outcome(kEve, silent, {Effect::kAllowDirect, true}, {}, nullptr), "");
  EXPECT_EQ(outcome(kEve, denying, {Effect::kAllowDirect, true}, allow, nullptr), kReasonNoAccess);
}

TEST(Authorize, AGrantAloneStandsOnItsSide) {
  const PolicyPtr all = Identity("Allow", "*");
  const PolicyPtr deny = Identity("Deny", "kms:*");
  const PolicyPtr none = Identity("Allow", "s3:*");
  const auto outcome = [](const Principal& who, Effect effect,
                          const std::vector<PolicyPtr>& identity, const PolicyPtr& session) {
    const KeySide side{nullptr, &who.account, {effect}};
    return Authorize(Request{"kms:RetireGrant", kKeyArn, &who}, &side,
                     {identity, nullptr, session.get()})
        .reason;
  };
  EXPECT_EQ(outcome(kEve, Effect::kAllowDirect, {}, nullptr), "");
  EXPECT_EQ(outcome(kEve, Effect::kAllowDirect, {all, deny}, nullptr),
            "with an explicit deny in an identity-based policy");
  EXPECT_EQ(outcome(kSession, Effect::kAllowDirect, {}, none), "");
  EXPECT_EQ(outcome(kSession, Effect::kAllowRole, {}, none),
            "because no session policy allows the kms:RetireGrant action");
  EXPECT_EQ(outcome(kEve, Effect::kAllowAccount, {none}, nullptr),
            "because no identity-based policy allows the kms:RetireGrant action");
  EXPECT_EQ(outcome(kEve, Effect::kAllowAccount, {all}, nullptr), "");
  EXPECT_EQ(outcome(kEve, Effect::kNone, {all}, nullptr),
            "because no resource-based policy allows the kms:RetireGrant action");
}

TEST(Trust, PoliciesOfRolesNamePrincipalsAndNoResources) {
  const auto trust = [](std::string_view principal, std::string_view more) {
    return Compile(R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":)" +
                       std::string(principal) + std::string(more) + "}]}",
                   Kind::kTrustPolicy);
  };
  const auto account = trust(R"({"AWS":"111122223333"})", R"(,"Action":"sts:AssumeRole")");
  ASSERT_TRUE(account);
  EXPECT_EQ(EffectOf(*account, kAnna, "sts:AssumeRole"), Effect::kAllowAccount);
  EXPECT_EQ(EffectOf(*account, kEve, "sts:AssumeRole"), Effect::kNone);
  const auto federated =
      trust(R"({"Federated":"arn:aws:iam::111122223333:oidc-provider/id.example.com"})",
            R"(,"Action":"sts:AssumeRoleWithWebIdentity")");
  ASSERT_TRUE(federated);
  const Principal provider{kOwner, "arn:aws:iam::111122223333:oidc-provider/id.example.com"};
  EXPECT_EQ(EffectOf(*federated, provider, "sts:AssumeRoleWithWebIdentity"), Effect::kAllowDirect);
  EXPECT_EQ(EffectOf(*federated, kAnna, "sts:AssumeRoleWithWebIdentity"), Effect::kNone);
  for (const char* bad :
       {R"(,"Action":"kms:Encrypt")", R"()", R"(,"Action":"sts:AssumeRole","Resource":"*")"}) {
    EXPECT_FALSE(trust(R"({"AWS":"111122223333"})", bad)) << bad;
  }
}

TEST(Lockout, TheCallerMustKeepPutKeyPolicy) {
  const auto allows = [](std::string_view statements, const std::vector<PolicyPtr>& identity) {
    return AllowsPutKeyPolicy(*Key(statements), {"kms:PutKeyPolicy", kKeyArn, &kAnna}, kOwner,
                              {identity});
  };
  const std::string delegating = Statement("Allow", "111122223333", "kms:*");
  EXPECT_TRUE(allows(Statement("Allow", kAnnaArn, "kms:PutKeyPolicy"), {}));
  EXPECT_FALSE(allows(Statement("Allow", kAnnaArn, "kms:Encrypt"), {Identity("Allow", "*")}));
  EXPECT_TRUE(allows(delegating, {Identity("Allow", "kms:*")}));
  EXPECT_FALSE(allows(delegating, {}));
  EXPECT_FALSE(
      allows(delegating + "," + Statement("Deny", "*", "kms:Put*"), {Identity("Allow", "kms:*")}));
  EXPECT_FALSE(allows(delegating, {Identity("Allow", "*"), Identity("Deny", "kms:PutKeyPolicy")}));
}

}  // namespace
}  // namespace keyturn::policy
