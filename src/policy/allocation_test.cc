// The usual request decides without the heap: conditions cost only those who have them.
//
// The sanitizers bring an allocator of their own, which cannot be replaced in half of a program:
// their builds do without this file.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <string>

#include "policy/policy.h"

namespace {
thread_local std::size_t allocations = 0;
}  // namespace

// Out of line, or GCC sees one half of a pair where it has inlined the other and takes it for a
// mismatch.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* const memory = std::malloc(size)) return memory;
  std::abort();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace keyturn::policy {
namespace {

class Counting final : public Context {
 public:
  void Find(const ConditionKey&, Values&) const override { ++asked; }
  mutable int asked = 0;
};

const model::AccountId kAccount = *model::AccountId::Parse("111122223333");

// Decide returns how many allocations one decision took.
std::size_t Decide(const PolicyPtr& key, const std::vector<PolicyPtr>& identity,
                   const Context& context) {
  const Principal anna{kAccount, "arn:aws:iam::111122223333:user/anna"};
  const Request request{"kms:Decrypt",
                        "arn:aws:kms:eu-west-1:111122223333:key/"
                        "1234abcd-12ab-34cd-56ef-1234567890ab",
                        &anna, &context};
  const KeySide side{key.get(), &kAccount, {}};
  const std::size_t before = allocations;
  const bool allowed = Authorize(request, &side, {identity}).allowed;
  const std::size_t taken = allocations - before;
  EXPECT_TRUE(allowed);
  return taken;
}

TEST(Allocation, DefaultKeyPolicyAndPlainIdentityPolicyTakeNone) {
  const auto key = Compile(DefaultKeyPolicy("aws", kAccount), Kind::kKeyPolicy);
  const auto identity = Compile(
      R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Resource":"*",
          "Action":["kms:Encrypt","kms:Decrypt","kms:GenerateDataKey*"]}]})",
      Kind::kIdentityPolicy);
  ASSERT_TRUE(key && identity);
  const Counting context;
  EXPECT_EQ(Decide(*key, {*identity}, context), 0U);
  EXPECT_EQ(context.asked, 0);
}

// Untouched statements of a key policy: about other actions, other keys and other principals, each
// with a condition that would have to ask and to build strings.
std::string WithUntouched(int count, const char* touched) {
  constexpr const char* kUntouched[] = {
      R"("Principal":"*","Action":"kms:Encrypt","Resource":"*")",
      R"("Principal":"*","NotAction":"kms:*","Resource":"*")",
      R"("Principal":"*","Action":"kms:*",
         "Resource":"arn:aws:kms:*:111122223333:key/0000abcd-12ab-34cd-56ef-1234567890ab")",
      R"("Principal":{"AWS":"arn:aws:iam::111122223333:user/bert"},"Action":"kms:*","Resource":"*")",
      R"("Principal":{"AWS":["444455556666","arn:aws:iam::111122223333:role/anna"]},
         "Action":"kms:*","Resource":"*")",
  };
  std::string text = std::string(R"({"Version":"2012-10-17","Statement":[)") + touched;
  for (int i = 0; i < count; ++i) {
    text += std::string(R"(,{"Effect":")") + (i % 2 == 0 ? "Deny" : "Allow") + "\"," +
            kUntouched[i % 5] +
            R"(,"Condition":{"StringLike":{"kms:EncryptionContext:a":"${aws:username}*"}}})";
  }
  return text + "]}";
}

TEST(Allocation, StatementsThatARequestDoesNotTouchCostNone) {
  const auto identity = Compile(
      R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}})",
      Kind::kIdentityPolicy);
  ASSERT_TRUE(identity);
  const char* const plain =
      R"({"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"})";
  for (const int count : {0, 10, 100}) {
    const auto key = Compile(WithUntouched(count, plain), Kind::kKeyPolicy);
    ASSERT_TRUE(key) << key.error().message;
    const Counting context;
    EXPECT_EQ(Decide(*key, {*identity}, context), 0U) << count;
    EXPECT_EQ(context.asked, 0) << count;
  }
}

// A key policy has 32,768 bytes, so that a thousand statements are many identity policies'.
TEST(Allocation, AThousandUntouchedStatementsOfIdentityPoliciesCostNoMoreThanTen) {
  const auto key = Compile(DefaultKeyPolicy("aws", kAccount), Kind::kKeyPolicy);
  ASSERT_TRUE(key);
  const auto taken = [&](int policies) {
    std::string text = R"({"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"kms:Decrypt","Resource":"*",
         "Condition":{"Null":{"kms:EncryptionContext:a":"true"}}})";
    for (int i = 0; i < 10; ++i) {
      text += R"(,{"Effect":"Deny","Action":"kms:Encrypt","Resource":"arn:aws:kms:*:*:key/*",
          "Condition":{"StringLike":{"kms:EncryptionContext:a":"${aws:username}*"}}})";
    }
    const auto identity = Compile(text + "]}", Kind::kIdentityPolicy);
    EXPECT_TRUE(identity);
    const Counting context;
    const std::size_t count = Decide(
        *key, std::vector<PolicyPtr>(static_cast<std::size_t>(policies), *identity), context);
    EXPECT_LE(context.asked, policies);
    return count;
  };
  EXPECT_EQ(taken(1), taken(100));
}

// Speaking tells every value that it is asked for, too long for a string's own room.
class Speaking final : public Context {
 public:
  void Find(const ConditionKey&, Values& out) const override {
    out.emplace_back("a value that no string keeps in itself");
  }
};

// What a request is judged by costs the values that its conditions ask for, and no more for what
// stands beside it.
TEST(Allocation, ConditionsCostTheValuesTheyAskFor) {
  const auto identity = Compile(
      R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}})",
      Kind::kIdentityPolicy);
  ASSERT_TRUE(identity);
  const char* const conditional =
      R"({"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:Decrypt","Resource":"*",
          "Condition":{"StringLike":{"kms:EncryptionContext:a":["b*","a value*"]}}})";
  const auto taken = [&](int count) {
    const auto key = Compile(WithUntouched(count, conditional), Kind::kKeyPolicy);
    EXPECT_TRUE(key);
    const Speaking context;
    return Decide(*key, {*identity}, context);
  };
  const std::size_t alone = taken(0);
  EXPECT_GT(alone, 0U);
  EXPECT_EQ(alone, 1U);  // a string
  EXPECT_EQ(taken(10), alone);
  EXPECT_EQ(taken(100), alone);
}

// Statements that ask about the same keys cost its values once; ARNs are compared as they stand.
TEST(Allocation, ConditionsOnTheSameKeysCostTheirValuesOnce) {
  const auto identity = Compile(
      R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}})",
      Kind::kIdentityPolicy);
  ASSERT_TRUE(identity);
  const auto taken = [&](int count) {
    std::string text = R"({"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"})";
    for (int i = 0; i < count; ++i) {
      text += R"(,{"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*","Condition":{
          "StringEquals":{"kms:EncryptionContext:a":"b"},"ArnLike":{"aws:PrincipalArn":"*"}}},
          {"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*","Condition":{
          "ArnLike":{"AWS:PrincipalARN":"arn:aws:iam::*:user/a-name-that-no-string-keeps"}}})";
    }
    const auto key = Compile(text + "]}", Kind::kKeyPolicy);
    EXPECT_TRUE(key);
    const Speaking context;
    return Decide(*key, {*identity}, context);
  };
  EXPECT_EQ(taken(1), 2U);
  EXPECT_EQ(taken(1), taken(50));
}

// A policy that asks about many keys does not have those of the next asked for again and again.
TEST(Allocation, EachPolicyHasRoomForItsAnswers) {
  std::string many = R"({"Version":"2012-10-17","Statement":[
      {"Effect":"Allow","Action":"*","Resource":"*"},
      {"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Null":{"aws:PrincipalTag/0":"true")";
  constexpr int kMany = 40;
  for (int i = 1; i < kMany; ++i) {
    many += ",\"aws:PrincipalTag/" + std::to_string(i) + "\":\"true\"";
  }
  many += R"(,"kms:ViaService":"false")";
  const auto identity = Compile(many + "}}}]}", Kind::kIdentityPolicy);
  ASSERT_TRUE(identity) << identity.error().message;
  std::string text = R"({"Version":"2012-10-17","Statement":[
      {"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"})";
  for (int i = 0; i < 50; ++i) {
    text += R"(,{"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*","Condition":{
        "StringEquals":{"kms:EncryptionContext:a":"b"}}})";
  }
  const auto key = Compile(text + "]}", Kind::kKeyPolicy);
  ASSERT_TRUE(key);
  const Counting context;
  Decide(*key, {*identity, *identity}, context);
  EXPECT_EQ(context.asked, 2 * (kMany + 1) + 1);
}

// A variable becomes text in memory that a thread keeps, however many statements have one.
TEST(Allocation, VariablesCostNoneButForTheFirst) {
  const auto identity = Compile(
      R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}})",
      Kind::kIdentityPolicy);
  ASSERT_TRUE(identity);
  const auto taken = [&](int count) {
    std::string text = R"({"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"})";
    for (int i = 0; i < count; ++i) {
      text += R"(,{"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*","Condition":{
          "StringLike":{"kms:EncryptionContext:a":"of ${aws:username}, which is longer*"}}})";
    }
    const auto key = Compile(text + "]}", Kind::kKeyPolicy);
    EXPECT_TRUE(key);
    const Speaking context;
    return Decide(*key, {*identity}, context);
  };
  taken(1);
  EXPECT_EQ(taken(1), 2U);  // two values
  EXPECT_EQ(taken(1), taken(50));
}

// A grant that allows is decided from what the policies said: they are not judged again.
TEST(Allocation, AGrantCostsNoSecondLookAtThePolicies) {
  const auto key = Compile(
      R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"kms:*",
          "Resource":"*","Condition":{"StringEquals":{"kms:EncryptionContext:a":"b"}}}})",
      Kind::kKeyPolicy);
  ASSERT_TRUE(key);
  const Principal anna{kAccount, "arn:aws:iam::111122223333:user/anna"};
  const Counting context;
  const Request request{"kms:Decrypt", "arn:aws:kms:eu-west-1:111122223333:key/k", &anna, &context};
  const KeySide side{key->get(), &kAccount, {}};
  const Judgement judgement(request, &side, {});
  EXPECT_EQ(context.asked, 1);
  const std::size_t before = allocations;
  EXPECT_FALSE(judgement.Allows({}));
  EXPECT_TRUE(judgement.Allows({Effect::kAllowDirect, false}));
  EXPECT_TRUE(judgement.Decide({Effect::kAllowDirect, false}).allowed);
  EXPECT_EQ(allocations, before);
  EXPECT_FALSE(judgement.Decide({}).allowed);
  EXPECT_EQ(context.asked, 1);
}

}  // namespace
}  // namespace keyturn::policy
