// Conditions and variables: every operator, the prefixes and suffixes, keys that are absent.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "policy/policy.h"

namespace keyturn::policy {
namespace {

class Asked final : public Context {
 public:
  Asked(std::initializer_list<std::pair<const std::string, Values>> values) {
    for (const auto& [name, list] : values) values_[ToLowerAscii(name)] = list;
  }
  void Find(const ConditionKey& key, Values& out) const override {
    if (const auto found = values_.find(key.name); found != values_.end()) {
      out.insert(out.end(), found->second.begin(), found->second.end());
    }
  }

 private:
  std::map<std::string, Values> values_;
};

const model::AccountId kAccount = *model::AccountId::Parse("111122223333");
const Principal kAnna{kAccount, "arn:aws:iam::111122223333:user/anna"};

std::string Policy(std::string_view condition) {
  return R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*",)"
         R"("Condition":)" +
         std::string(condition) + "}}";
}

bool Holds(std::string_view condition, const Context& context) {
  const auto policy = Compile(Policy(condition), Kind::kIdentityPolicy);
  EXPECT_TRUE(policy) << condition << (policy ? "" : policy.error().message);
  return policy && Evaluate(**policy, {"kms:Encrypt", "*", &kAnna, &context}) != Effect::kNone;
}

// One: whether operator holds for a single value of the policy and one of the request.
bool One(std::string_view op, std::string_view operand, std::string_view value) {
  std::string text = "{\"";
  text.append(op).append(R"(":{"kms:KeySpec":")").append(operand).append("\"}}");
  return Holds(text, Asked{{"kms:KeySpec", {std::string(value)}}});
}

TEST(Condition, StringOperators) {
  EXPECT_TRUE(One("StringEquals", "a*", "a*"));
  EXPECT_FALSE(One("StringEquals", "a*", "ab"));
  EXPECT_FALSE(One("StringEquals", "A", "a"));
  EXPECT_TRUE(One("StringEqualsIgnoreCase", "RSA_2048", "rsa_2048"));
  EXPECT_FALSE(One("StringNotEquals", "a", "a"));
  EXPECT_TRUE(One("StringNotEquals", "a", "A"));
  EXPECT_FALSE(One("StringNotEqualsIgnoreCase", "a", "A"));
  EXPECT_TRUE(One("StringLike", "s3.*.amazonaws.com", "s3.eu-west-1.amazonaws.com"));
  EXPECT_FALSE(One("StringLike", "s?", "s33"));
  EXPECT_TRUE(One("StringNotLike", "s?", "s33"));
  EXPECT_TRUE(One("stringequals", "a", "a"));  // operators have no case
}

TEST(Condition, NumericOperators) {
  EXPECT_TRUE(One("NumericEquals", "7", "7.0"));
  EXPECT_FALSE(One("NumericNotEquals", "7", "7.0"));
  EXPECT_TRUE(One("NumericLessThan", "10", "9"));
  EXPECT_FALSE(One("NumericLessThan", "10", "10"));
  EXPECT_TRUE(One("NumericLessThanEquals", "10", "10"));
  EXPECT_TRUE(One("NumericGreaterThan", "10", "10.5"));
  EXPECT_FALSE(One("NumericGreaterThan", "10", "10"));
  EXPECT_TRUE(One("NumericGreaterThanEquals", "10", "10"));
  EXPECT_FALSE(One("NumericGreaterThanEquals", "10", "nine"));
  EXPECT_TRUE(Holds(R"({"NumericLessThan":{"kms:KeySpec":8}})", Asked{{"kms:KeySpec", {"7"}}}));
}

TEST(Condition, DateOperators) {
  EXPECT_TRUE(One("DateLessThan", "2026-11-24T12:00:00Z", "2026-11-24T11:59:59.999Z"));
  EXPECT_FALSE(One("DateLessThan", "2026-11-24T12:00:00Z", "2026-11-24T12:00:00Z"));
  EXPECT_TRUE(One("DateGreaterThanEquals", "2026-11-24", "2026-11-24T00:00:00Z"));
  EXPECT_TRUE(One("DateEquals", "1795521600", "2026-11-24T12:00:00Z"));
  EXPECT_TRUE(One("DateNotEquals", "2026-11-24", "2026-11-25"));
  EXPECT_TRUE(One("DateGreaterThan", "2026-11-24", "1795521600"));
  EXPECT_TRUE(One("DateLessThanEquals", "2026-11-24", "2026-11-24"));
}

TEST(Condition, BoolBinaryAndNull) {
  EXPECT_TRUE(One("Bool", "True", "true"));
  EXPECT_FALSE(One("Bool", "true", "false"));
  EXPECT_TRUE(Holds(R"({"Bool":{"kms:KeySpec":false}})", Asked{{"kms:KeySpec", {"false"}}}));
  EXPECT_TRUE(One("BinaryEquals", "AAEC", "AAEC"));
  EXPECT_FALSE(One("BinaryEquals", "AAEC", "AAED"));
  EXPECT_FALSE(One("Null", "true", "x"));
  EXPECT_TRUE(One("Null", "false", "x"));
  EXPECT_TRUE(Holds(R"({"Null":{"aws:TagKeys":true}})", Asked{}));
  EXPECT_FALSE(Holds(R"({"Null":{"aws:TagKeys":"false"}})", Asked{}));
}

TEST(Condition, IpAddresses) {
  EXPECT_TRUE(One("IpAddress", "203.0.113.0/24", "203.0.113.77"));
  EXPECT_FALSE(One("IpAddress", "203.0.113.0/24", "203.0.114.1"));
  EXPECT_TRUE(One("IpAddress", "203.0.113.5", "203.0.113.5"));
  EXPECT_TRUE(One("NotIpAddress", "10.0.0.0/8", "11.0.0.1"));
  EXPECT_TRUE(One("IpAddress", "2001:db8::/32", "2001:db8:1::7"));
  EXPECT_FALSE(One("IpAddress", "2001:db8::/33", "2001:db8:8000::"));
  EXPECT_TRUE(One("IpAddress", "0.0.0.0/0", "8.8.8.8"));
  EXPECT_FALSE(One("IpAddress", "0.0.0.0/0", "2001:db8::1"));
  EXPECT_TRUE(One("IpAddress", "127.0.0.1", "::ffff:127.0.0.1"));
  EXPECT_FALSE(One("IpAddress", "127.0.0.1", "localhost"));
}

TEST(Condition, ArnsMatchPartByPart) {
  EXPECT_TRUE(One("ArnLike", "arn:aws:iam::*:role/app*", "arn:aws:iam::111122223333:role/app/x"));
  EXPECT_TRUE(One("ArnEquals", "arn:*:iam::1*:user/?", "arn:aws:iam::111122223333:user/a"));
  EXPECT_FALSE(One("ArnLike", "arn:aws:iam::*:role/a", "arn:aws:iam::1:x:role/a"));
  EXPECT_FALSE(One("ArnLike", "arn:aws:iam::1:role/a", "role/a"));
  EXPECT_TRUE(One("ArnNotLike", "arn:aws:iam::*:role/*", "arn:aws:iam::1:user/a"));
  EXPECT_FALSE(One("ArnNotEquals", "arn:aws:iam::*:role/*", "arn:aws:iam::1:role/a"));
  EXPECT_TRUE(One("ArnLike", "*", "arn:aws:iam::1:role/a"));
}

TEST(Condition, ValuesAreOredKeysAndOperatorsAnded) {
  const std::string two = R"({"StringEquals":{"kms:KeySpec":["a","b"],"kms:KeyUsage":"u"},)"
                          R"("Bool":{"kms:MultiRegion":"false"}})";
  const auto asked = [](const char* spec, const char* usage, const char* multi) {
    return Asked{{"kms:KeySpec", {spec}}, {"kms:KeyUsage", {usage}}, {"kms:MultiRegion", {multi}}};
  };
  EXPECT_TRUE(Holds(two, asked("b", "u", "false")));
  EXPECT_FALSE(Holds(two, asked("c", "u", "false")));
  EXPECT_FALSE(Holds(two, asked("a", "v", "false")));
  EXPECT_FALSE(Holds(two, asked("a", "u", "true")));
  const std::string neither = R"({"StringNotEquals":{"kms:KeySpec":["a","b"]}})";
  EXPECT_TRUE(Holds(neither, asked("c", "", "")));
  EXPECT_FALSE(Holds(neither, asked("b", "", "")));
}

TEST(Condition, AbsentKeys) {
  const auto absent = [](std::string_view op) {
    return Holds("{\"" + std::string(op) + R"(":{"kms:KeySpec":"a"}})", Asked{});
  };
  EXPECT_FALSE(absent("StringEquals"));
  EXPECT_TRUE(absent("StringNotEquals"));
  EXPECT_TRUE(absent("StringEqualsIfExists"));
  EXPECT_TRUE(absent("StringNotEqualsIfExists"));
  EXPECT_TRUE(absent("ForAllValues:StringEquals"));
  EXPECT_FALSE(absent("ForAnyValue:StringEquals"));
  EXPECT_FALSE(absent("ForAnyValue:StringNotEquals"));
  EXPECT_TRUE(absent("ForAnyValue:StringEqualsIfExists"));
  EXPECT_FALSE(One("StringEqualsIfExists", "a", "b"));  // IfExists forgives absence only
}

TEST(Condition, SetsOfValues) {
  const auto sets = [](std::string_view op, const Values& values) {
    return Holds("{\"" + std::string(op) + R"(":{"aws:TagKeys":["a","b"]}})",
                 Asked{{"aws:TagKeys", values}});
  };
  EXPECT_TRUE(sets("ForAllValues:StringEquals", {"a", "b"}));
  EXPECT_FALSE(sets("ForAllValues:StringEquals", {"a", "c"}));
  EXPECT_TRUE(sets("ForAnyValue:StringEquals", {"c", "b"}));
  EXPECT_FALSE(sets("ForAnyValue:StringEquals", {"c", "d"}));
  EXPECT_TRUE(sets("ForAnyValue:StringNotEquals", {"a", "c"}));
  EXPECT_FALSE(sets("ForAnyValue:StringNotEquals", {"a", "b"}));
  EXPECT_TRUE(sets("ForAllValues:StringNotEquals", {"c", "d"}));
  EXPECT_FALSE(sets("ForAllValues:StringNotEquals", {"a", "d"}));
}

TEST(Condition, KeysHaveNoCaseValuesDo) {
  const Asked asked{{"kms:EncryptionContext:AppName", {"Pay"}}};
  EXPECT_TRUE(Holds(R"({"StringEquals":{"KMS:encryptioncontext:APPNAME":"Pay"}})", asked));
  EXPECT_FALSE(Holds(R"({"StringEquals":{"kms:EncryptionContext:AppName":"pay"}})", asked));
  EXPECT_EQ(ConditionKey::Parse("kms:EncryptionContext:AppName").key, Key::kKmsEncryptionContext);
  EXPECT_EQ(ConditionKey::Parse("kms:EncryptionContext:AppName").qualifier, "appname");
  EXPECT_EQ(ConditionKey::Parse("kms:EncryptionContextKeys").key, Key::kKmsEncryptionContextKeys);
  EXPECT_EQ(ConditionKey::Parse("aws:PrincipalTag/Team").qualifier, "team");
  EXPECT_EQ(ConditionKey::Parse("aws:PrincipalOrgID").key, Key::kOther);
}

TEST(Variables, StandForValuesOfTheRequest) {
  const Asked asked{
      {"aws:username", {"anna"}}, {"aws:PrincipalTag/team", {"a*"}}, {"kms:KeySpec", {"anna"}}};
  EXPECT_TRUE(Holds(R"({"StringEquals":{"kms:KeySpec":"${aws:username}"}})", asked));
  EXPECT_FALSE(Holds(R"({"StringLike":{"kms:KeySpec":"b*${aws:username}"}})", asked));
  EXPECT_TRUE(Holds(R"({"StringLike":{"kms:KeySpec":"${aws:username}*"}})", asked));
  // A * that comes from the request is a character.
  EXPECT_FALSE(Holds(R"({"StringLike":{"kms:KeySpec":"${aws:PrincipalTag/team}"}})", asked));
  EXPECT_TRUE(
      Holds(R"({"StringEquals":{"kms:KeySpec":"${aws:FederatedProvider, 'anna'}"}})", asked));
  EXPECT_FALSE(Holds(R"({"StringEquals":{"kms:KeySpec":"${aws:FederatedProvider}"}})", asked));
  EXPECT_FALSE(Holds(R"({"StringNotEquals":{"kms:KeySpec":"${aws:FederatedProvider}"}})", asked));
  const Asked star{{"kms:KeySpec", {"a*?$"}}};
  EXPECT_TRUE(Holds(R"({"StringLike":{"kms:KeySpec":"?${*}${?}${$}"}})", star));
  EXPECT_FALSE(
      Holds(R"({"StringLike":{"kms:KeySpec":"?${*}${?}${$}"}})", Asked{{"kms:KeySpec", {"abc$"}}}));
}

TEST(Variables, InResources) {
  const auto policy =
      Compile(R"({"Version":"2012-10-17","Statement":{"Effect":"Allow",)"
              R"("Action":"*","Resource":"arn:aws:kms:*:*:alias/${aws:username}/*"}})",
              Kind::kIdentityPolicy);
  ASSERT_TRUE(policy);
  const Asked anna{{"aws:username", {"anna"}}};
  const auto effect = [&](std::string_view resource, const Context* context) {
    return Evaluate(**policy, {"kms:CreateAlias", resource, &kAnna, context});
  };
  EXPECT_EQ(effect("arn:aws:kms:eu-west-1:111122223333:alias/anna/x", &anna), Effect::kAllowDirect);
  EXPECT_EQ(effect("arn:aws:kms:eu-west-1:111122223333:alias/eve/x", &anna), Effect::kNone);
  EXPECT_EQ(effect("arn:aws:kms:eu-west-1:111122223333:alias/anna/x", nullptr), Effect::kNone);
}

TEST(Condition, WhatIsNoneIsRefused) {
  for (const char* bad : {
           R"([])",
           R"({"StringMatches":{"kms:KeySpec":"a"}})",
           R"({"NullIfExists":{"kms:KeySpec":"true"}})",
           R"({"ForSomeValues:StringEquals":{"kms:KeySpec":"a"}})",
           R"({"StringEquals":{}})",
           R"({"StringEquals":"a"})",
           R"({"StringEquals":{"KeySpec":"a"}})",
           R"({"StringEquals":{"kms:KeySpec":[]}})",
           R"({"StringEquals":{"kms:KeySpec":{}}})",
           R"({"StringEquals":{"kms:KeySpec":null}})",
           R"({"NumericEquals":{"kms:KeySpec":"seven"}})",
           R"({"DateEquals":{"kms:KeySpec":"yesterday"}})",
           R"({"Bool":{"kms:KeySpec":"maybe"}})",
           R"({"IpAddress":{"aws:SourceIp":"10.0.0.0/33"}})",
           R"({"IpAddress":{"aws:SourceIp":"10.0.0"}})",
           R"({"ArnLike":{"aws:PrincipalArn":"anna"}})",
           R"({"BinaryEquals":{"kms:KeySpec":"%"}})",
           R"({"StringEquals":{"kms:KeySpec":"${aws:username"}})",
           R"({"StringEquals":{"kms:KeySpec":"${username}"}})",
           R"({"StringEquals":{"kms:KeySpec":"${aws:username, anna}"}})",
       }) {
    const auto policy = Compile(Policy(bad), Kind::kIdentityPolicy);
    ASSERT_FALSE(policy) << bad;
    EXPECT_EQ(policy.error().code, ErrorCode::kMalformedPolicyDocumentException) << bad;
  }
}

TEST(Explain, SaysWhyAStatementDoesNotApply) {
  const auto policy = Compile(R"({"Statement":[
      {"Sid":"A","Effect":"Allow","Principal":"*","Action":"kms:Decrypt","Resource":"*"},
      {"Sid":"B","Effect":"Deny","Principal":{"AWS":"444455556666"},"Action":"*","Resource":"*"},
      {"Sid":"C","Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"*","Resource":"*"},
      {"Sid":"D","Effect":"Deny","Principal":"*","Action":"*","Resource":"*",
       "Condition":{"Bool":{"aws:SecureTransport":"false"}}}]})",
                              Kind::kKeyPolicy);
  ASSERT_TRUE(policy);
  const Asked tls{{"aws:SecureTransport", {"true"}}};
  const auto findings = Explain(**policy, {"kms:Encrypt", "*", &kAnna, &tls});
  ASSERT_EQ(findings.size(), 4U);
  EXPECT_EQ(findings[0].detail, "is about other actions");
  EXPECT_EQ(findings[1].detail, "is about other principals");
  EXPECT_TRUE(findings[2].applies && findings[2].allow);
  EXPECT_EQ(findings[2].sid, "C");
  EXPECT_EQ(findings[3].detail, "the condition Bool aws:SecureTransport does not hold");
}

// Addresses of several values, among others of the same request.
TEST(Condition, EachAddressIsComparedAsItself) {
  class Two final : public Context {
   public:
    void Find(const ConditionKey& key, Values& out) const override {
      out.emplace_back(key.key == Key::kAwsSourceIp ? "10.1.2.3" : "10.9.9.9");
      if (key.key != Key::kAwsSourceIp) out.emplace_back("no address");
    }
  };
  const Two context;
  const auto holds = [&](const std::string& condition) {
    const auto policy = Compile(
        R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":)" +
            condition + "}}",
        Kind::kIdentityPolicy);
    EXPECT_TRUE(policy) << condition;
    return policy && Evaluate(**policy, {"kms:Encrypt", "*", &kAnna, &context}) != Effect::kNone;
  };
  EXPECT_TRUE(holds(R"({"IpAddress":{"aws:SourceIp":"10.1.0.0/16"},
                        "ForAnyValue:IpAddress":{"aws:PrincipalTag/net":"10.9.0.0/16"}})"));
  EXPECT_FALSE(holds(R"({"ForAllValues:IpAddress":{"aws:PrincipalTag/net":"10.9.0.0/16"}})"));
  EXPECT_FALSE(holds(R"({"IpAddress":{"aws:SourceIp":"10.9.0.0/16"},
                         "ForAnyValue:IpAddress":{"aws:PrincipalTag/net":"10.9.0.0/16"}})"));
  EXPECT_TRUE(holds(R"({"NotIpAddress":{"aws:SourceIp":"10.9.0.0/16"}})"));
}

// More keys than answers are kept for, each asked for twice, one by a variable while another's
// values are looked at.
TEST(Condition, AnswersStayApartWhateverTheirNumber) {
  class Naming final : public Context {
   public:
    void Find(const ConditionKey& key, Values& out) const override {
      out = {key.qualifier};
      if (key.key == Key::kKmsEncryptionContext) out.push_back(key.qualifier + "!");
    }
  };
  const Naming context;
  const Request request{"kms:Decrypt", "arn:aws:kms:eu-west-1:111122223333:key/k", &kAnna,
                        &context};
  constexpr int kKeys = 20;
  // The statement allows, unless the variable of one key (wrong) is another's.
  const auto allows = [&](int wrong) {
    std::string conditions;
    for (int i = 0; i < kKeys; ++i) {
      conditions += (i == 0 ? "\"" : ",\"") + fmt::format("kms:EncryptionContext:k{}-\":", i) +
                    fmt::format("\"${{aws:PrincipalTag/k{}-}}*\"", i == wrong ? i + 1 : i);
    }
    const std::string statement =
        R"({"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ForAllValues:StringLike":{)" +
        conditions + "}}}";
    const auto policy =
        Compile(R"({"Version":"2012-10-17","Statement":[)" + statement + "," + statement + "]}",
                Kind::kIdentityPolicy);
    EXPECT_TRUE(policy);
    return Evaluate(**policy, request) == Effect::kAllowDirect;
  };
  EXPECT_TRUE(allows(-1));
  for (int i = 0; i < kKeys; ++i) EXPECT_FALSE(allows(i)) << i;
}

}  // namespace
}  // namespace keyturn::policy
