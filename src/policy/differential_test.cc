// Random policies against a second evaluator, written from the rules without the first one's ideas:
// it reads the JSON for every request, and matches by plain recursion.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "json/json.h"
#include "policy/policy.h"

namespace keyturn::policy {
namespace {

using Random = std::mt19937;

template <std::size_t N>
std::string Pick(Random& random, const char* const (&choices)[N]) {
  return choices[random() % N];
}

constexpr const char* kActions[] = {"*",        "kms:*",      "kms:Encrypt", "KMS:decrypt",
                                    "kms:Get*", "kms:*crypt", "kms:?ncrypt", "kms:GetKeyPolicy",
                                    "kms:*e*y*"};
constexpr const char* kAsked[] = {"kms:Encrypt", "kms:Decrypt", "kms:GetKeyPolicy",
                                  "kms:ReEncryptTo", "kms:PutKeyPolicy"};
constexpr const char* kResources[] = {"*", "arn:aws:kms:eu-west-1:111122223333:key/a",
                                      "arn:aws:kms:*:111122223333:key/*",
                                      "arn:aws:kms:*:444455556666:*", "arn:aws:kms:?u-west-1:*/a"};
constexpr const char* kKeys[] = {"arn:aws:kms:eu-west-1:111122223333:key/a",
                                 "arn:aws:kms:us-east-2:111122223333:key/b"};
constexpr const char* kPrincipals[] = {"*",
                                       "111122223333",
                                       "444455556666",
                                       "arn:aws:iam::111122223333:root",
                                       "arn:aws:iam::111122223333:user/a",
                                       "arn:aws:iam::111122223333:user/b",
                                       "arn:aws:iam::444455556666:user/a"};
constexpr const char* kCallers[] = {
    "arn:aws:iam::111122223333:root", "arn:aws:iam::111122223333:user/a",
    "arn:aws:iam::111122223333:user/b", "arn:aws:iam::444455556666:user/a",
    "arn:aws:iam::444455556666:root"};

template <std::size_t N>
std::string OneOrMany(Random& random, const char* const (&choices)[N]) {
  if (random() % 2 == 0) {
    return "\"" + Pick(random, choices) + "\"";
  }
  std::string list = "[\"" + Pick(random, choices) + "\"";
  while (random() % 2 == 0) {
    list += ",\"" + Pick(random, choices) + "\"";
  }
  return list + "]";
}

std::string RandomStatement(Random& random, Kind kind, bool may_allow = true) {
  std::string text = "{\"Effect\":";
  text += may_allow && random() % 4 != 0 ? "\"Allow\"" : "\"Deny\"";
  if (kind == Kind::kKeyPolicy) {
    text += ",\"Principal\":";
    text += random() % 6 == 0 ? "\"*\"" : "{\"AWS\":" + OneOrMany(random, kPrincipals) + "}";
  }
  if (kind == Kind::kIdentityPolicy || random() % 16 != 0) {
    text += random() % 5 == 0 ? ",\"NotAction\":" : ",\"Action\":";
    text += OneOrMany(random, kActions);
  }
  if (kind == Kind::kIdentityPolicy || random() % 16 != 0) {
    text += random() % 6 == 0 ? ",\"NotResource\":" : ",\"Resource\":";
    text += random() % 2 == 0 ? "\"*\"" : OneOrMany(random, kResources);
  }
  return text + "}";
}

std::string RandomPolicy(Random& random, Kind kind) {
  std::string text = "{\"Statement\":[" + RandomStatement(random, kind);
  while (random() % 2 == 0) {
    text += "," + RandomStatement(random, kind);
  }
  return text + "]}";
}

bool NaiveGlob(std::string_view p, std::string_view s) {
  if (p.empty()) return s.empty();
  if (p[0] == '*') return NaiveGlob(p.substr(1), s) || (!s.empty() && NaiveGlob(p, s.substr(1)));
  return !s.empty() && (p[0] == '?' || p[0] == s[0]) && NaiveGlob(p.substr(1), s.substr(1));
}

std::string Lower(std::string_view text) {
  std::string out;
  for (const char c : text) out += static_cast<char>(std::tolower(c));
  return out;
}

std::vector<std::string> List(const json::Value& value) {
  std::vector<std::string> out;
  if (const auto text = value.AsString()) out.emplace_back(*text);
  value.ForEachElement([&](std::size_t, json::Value element) {
    out.emplace_back(*element.AsString());
    return true;
  });
  return out;
}

struct Asked {
  std::string caller;
  std::string action;
  std::string resource;
};

std::string AccountOf(const std::string& arn) { return arn.substr(13, 12); }

// NaiveMember: 1 matches, 0 does not, for Name or NotName; -1 when there is neither.
int NaiveMember(const json::Value& statement, const std::string& name, const std::string& subject,
                bool fold) {
  for (const bool negate : {false, true}) {
    const auto value = statement.Find((negate ? "Not" : "") + name);
    if (!value) continue;
    bool any = false;
    for (const std::string& pattern : List(*value)) {
      any |= fold ? NaiveGlob(Lower(pattern), Lower(subject)) : NaiveGlob(pattern, subject);
    }
    return any != negate ? 1 : 0;
  }
  return -1;
}

Effect NaiveEvaluate(const std::string& text, const Asked& asked) {
  json::Parser parser;
  const auto root = parser.Parse(text);
  bool direct = false;
  bool account = false;
  bool deny = false;
  root->Find("Statement")->ForEachElement([&](std::size_t, json::Value statement) {
    if (NaiveMember(statement, "Action", asked.action, true) != 1) return true;
    if (NaiveMember(statement, "Resource", asked.resource, false) != 1) return true;
    bool is_direct = true;
    bool is_account = false;
    if (const auto principal = statement.Find("Principal")) {
      is_direct = false;
      const auto values = principal->AsString() ? List(*principal) : List(*principal->Find("AWS"));
      for (const std::string& value : values) {
        is_direct |= value == "*" || value == asked.caller;
        is_account |= value == AccountOf(asked.caller) ||
                      value == "arn:aws:iam::" + AccountOf(asked.caller) + ":root";
      }
      if (is_account && asked.caller.ends_with(":root")) is_direct = true;
    }
    if (is_direct || is_account) {
      const bool allow = statement.Find("Effect")->AsString() == "Allow";
      deny |= !allow;
      direct |= allow && is_direct;
      account |= allow && is_account;
    }
    return true;
  });
  if (deny) return Effect::kDeny;
  if (direct) return Effect::kAllowDirect;
  return account ? Effect::kAllowAccount : Effect::kNone;
}

bool NaiveAuthorize(const std::string& key, const std::vector<std::string>& identity,
                    const Asked& asked) {
  const Effect by_key = NaiveEvaluate(key, asked);
  bool identity_allows = asked.caller.ends_with(":root");
  if (!identity_allows) {
    for (const std::string& text : identity) {
      const Effect effect = NaiveEvaluate(text, asked);
      if (effect == Effect::kDeny) return false;
      identity_allows |= effect == Effect::kAllowDirect;
    }
  }
  if (by_key == Effect::kDeny || by_key == Effect::kNone) return false;
  const bool foreign = AccountOf(asked.caller) != "111122223333";
  return by_key == Effect::kAllowDirect && !foreign ? true : identity_allows;
}

Asked RandomAsked(Random& random) {
  return {Pick(random, kCallers), Pick(random, kAsked), Pick(random, kKeys)};
}

PolicyPtr MustCompile(const std::string& text, Kind kind) {
  auto policy = Compile(text, kind);
  EXPECT_TRUE(policy) << text;
  return *policy;
}

bool IsAllowed(const std::string& key, const std::vector<std::string>& identity,
               const Asked& asked) {
  const auto owner = *model::AccountId::Parse("111122223333");
  const Principal principal{*model::AccountId::Parse(AccountOf(asked.caller)), asked.caller,
                            asked.caller.ends_with(":root")};
  std::vector<PolicyPtr> policies;
  for (const std::string& text : identity) {
    policies.push_back(MustCompile(text, Kind::kIdentityPolicy));
  }
  const PolicyPtr key_policy = MustCompile(key, Kind::kKeyPolicy);
  const KeySide side{key_policy.get(), &owner, {}};
  return Authorize(Request{asked.action, asked.resource, &principal}, &side, {policies}).allowed;
}

TEST(Differential, EvaluateAgreesWithTheNaiveReadingOnRandomPolicies) {
  Random random(20261124);
  std::map<Effect, int> seen;
  for (int i = 0; i < 25'000; ++i) {
    const Kind kind = i % 3 == 0 ? Kind::kIdentityPolicy : Kind::kKeyPolicy;
    const std::string text = RandomPolicy(random, kind);
    const Asked asked = RandomAsked(random);
    const Principal principal{*model::AccountId::Parse(AccountOf(asked.caller)), asked.caller,
                              asked.caller.ends_with(":root")};
    const PolicyPtr policy = MustCompile(text, kind);
    const Effect effect = Evaluate(*policy, Request{asked.action, asked.resource, &principal});
    ASSERT_EQ(effect, NaiveEvaluate(text, asked))
        << text << "\n"
        << asked.caller << " " << asked.action << " " << asked.resource;
    ++seen[effect];
  }
  for (const Effect effect :
       {Effect::kNone, Effect::kAllowAccount, Effect::kAllowDirect, Effect::kDeny}) {
    EXPECT_GT(seen[effect], 500);  // every outcome was really compared
  }
}

TEST(Differential, AuthorizeAgreesWithTheNaiveReading) {
  Random random(7);
  int allowed = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::string key = RandomPolicy(random, Kind::kKeyPolicy);
    std::vector<std::string> identity;
    while (random() % 3 != 0) {
      identity.push_back(RandomPolicy(random, Kind::kIdentityPolicy));
    }
    const Asked asked = RandomAsked(random);
    const bool expected = NaiveAuthorize(key, identity, asked);
    ASSERT_EQ(IsAllowed(key, identity, asked), expected) << key << "\n" << asked.caller;
    allowed += expected ? 1 : 0;
  }
  EXPECT_GT(allowed, 1'000);
}

TEST(Differential, AddingADenyNeverAllowsMore) {
  Random random(11);
  int taken_away = 0;
  for (int i = 0; i < 10'000; ++i) {
    std::string key = RandomPolicy(random, Kind::kKeyPolicy);
    std::vector<std::string> identity = {RandomPolicy(random, Kind::kIdentityPolicy)};
    const Asked asked = RandomAsked(random);
    const bool before = IsAllowed(key, identity, asked);
    const bool in_key = random() % 2 == 0;
    std::string& target = in_key ? key : identity[0];
    target.insert(std::string_view("{\"Statement\":[").size(),
                  RandomStatement(random, in_key ? Kind::kKeyPolicy : Kind::kIdentityPolicy,
                                  /*may_allow=*/false) +
                      ",");
    const bool after = IsAllowed(key, identity, asked);
    ASSERT_TRUE(before || !after) << key << "\n" << identity[0];
    taken_away += before && !after ? 1 : 0;
  }
  EXPECT_GT(taken_away, 200);
}

}  // namespace
}  // namespace keyturn::policy
