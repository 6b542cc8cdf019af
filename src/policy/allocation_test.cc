// The usual request decides without the heap: conditions cost only those who have them.
//
// The sanitizers bring an allocator of their own, which cannot be replaced in half of a program:
// their builds do without this file, every other one counts.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define KEYTURN_FOREIGN_ALLOCATOR
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define KEYTURN_FOREIGN_ALLOCATOR
#endif
#ifndef KEYTURN_FOREIGN_ALLOCATOR

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

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
                   const Counting& context) {
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

TEST(Allocation, StatementsThatARequestDoesNotTouchCostNone) {
  std::string text = R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":
      {"AWS":"111122223333"},"Action":"kms:*","Resource":"*"})";
  for (int i = 0; i < 100; ++i) {
    text += R"(,{"Effect":"Deny","Principal":"*","Action":"kms:Encrypt","Resource":"*",
        "Condition":{"StringLike":{"kms:EncryptionContext:a":"${aws:username}*"}}})";
  }
  const auto key = Compile(text + "]}", Kind::kKeyPolicy);
  const auto identity = Compile(
      R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}})",
      Kind::kIdentityPolicy);
  ASSERT_TRUE(key && identity);
  const Counting context;
  EXPECT_EQ(Decide(*key, {*identity}, context), 0U);
  EXPECT_EQ(context.asked, 0);
}

}  // namespace
}  // namespace keyturn::policy

#endif  // KEYTURN_FOREIGN_ALLOCATOR
