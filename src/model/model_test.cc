// Identifiers: what is one, what is not.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "model/arn.h"
#include "model/enums.h"
#include "model/ids.h"
#include "model/regions.h"

namespace keyturn::model {
namespace {

TEST(Region, ValidNames) {
  for (const char* good : {"us-east-1", "us-gov-west-1", "ap-northeast-3", "eusc-de-east-1"}) {
    EXPECT_TRUE(Region::IsValid(good)) << good;
  }
  for (const char* bad :
       {"", "us", "us-east", "us-east-", "US-east-1", "us-east-1a", "a-b-c-d-1", "us--1",
        "-us-east-1", "us-east-1 ", "aaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbb-1"}) {
    EXPECT_FALSE(Region::IsValid(bad)) << bad;
  }
}

TEST(Region, InternedNamesAreTheSame) {
  const auto a = Region::Intern("eu-west-3");
  ASSERT_TRUE(a);
  EXPECT_EQ(*a, *Region::Intern("eu-west-3"));
  EXPECT_NE(*a, *Region::Intern("eu-west-2"));
  EXPECT_EQ(a->name(), "eu-west-3");
  EXPECT_EQ(Region::Intern("cn-north-1")->partition(), "aws-cn");
  EXPECT_FALSE(Region::Intern("not a region"));
}

TEST(Region, AwsRegionsAreThereFromTheStart) {
  const auto known = KnownRegions();
  EXPECT_TRUE(std::is_sorted(known.begin(), known.end()));
  for (const std::string_view name : known) {
    const auto region = Region::Find(name);
    ASSERT_TRUE(region) << name;
    EXPECT_EQ(region->name(), name);
    EXPECT_EQ(region->partition(), PartitionOf(name));
  }
}

TEST(Region, LookingForANameDoesNotAddIt) {
  EXPECT_FALSE(Region::Find("aa-found-1"));
  EXPECT_FALSE(Region::Find("aa-found-1"));
  const auto added = Region::Intern("aa-found-1");
  ASSERT_TRUE(added);
  EXPECT_EQ(Region::Find("aa-found-1"), added);
  EXPECT_FALSE(Region::Find(""));
}

TEST(Region, ACallerWhoMakesUpNamesTakesTheRoomOfNobodyElse) {
  const auto name = [](int number) { return "aa-bb-" + std::to_string(number); };
  constexpr int kAllowed = 64;
  for (int i = 0; i < 20'000; ++i) {
    EXPECT_EQ(Region::InternFor("a", name(i)).has_value(), i < kAllowed) << i;
  }
  EXPECT_TRUE(Region::InternFor("a", name(kAllowed - 1)));
  EXPECT_TRUE(Region::InternFor("b", name(kAllowed)));
  EXPECT_TRUE(Region::InternFor("a", name(kAllowed)));  // it is there now
  EXPECT_TRUE(Region::InternFor("a", "eu-west-3"));
  EXPECT_TRUE(Region::Intern("aa-stored-1"));
  EXPECT_FALSE(Region::InternFor("c", "not a region"));
}

TEST(KeyId, BothForms) {
  EXPECT_TRUE(KeyId::Parse("1234abcd-12ab-34cd-56ef-1234567890ab"));
  EXPECT_TRUE(KeyId::Parse("mrk-1234abcd12ab34cd56ef1234567890ab"));
  EXPECT_FALSE(KeyId::Parse("1234abcd12ab34cd56ef1234567890ab"));
  EXPECT_FALSE(KeyId::Parse("mrk-1234ABCD12ab34cd56ef1234567890ab"));
  EXPECT_FALSE(KeyId::Parse("alias/x"));
}

TEST(Arn, KeyArnRoundTrip) {
  const std::string text = KeyArn(*Region::Intern("us-east-1"), *AccountId::Parse("111122223333"),
                                  *KeyId::Parse("1234abcd-12ab-34cd-56ef-1234567890ab"));
  EXPECT_EQ(text, "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab");
  const auto arn = Arn::Parse(text);
  ASSERT_TRUE(arn);
  EXPECT_EQ(arn->region, "us-east-1");
  EXPECT_EQ(arn->resource, "key/1234abcd-12ab-34cd-56ef-1234567890ab");
  for (const char* bad : {"", "arn", "arn:aws:kms:us-east-1:1", "arn::kms:r:a:x", "ARN:aws:k:r:a:x",
                          "arn:aws:kms:us-east-1:111122223333:"}) {
    EXPECT_FALSE(Arn::Parse(bad)) << bad;
  }
}

TEST(Arn, WithoutPartition) {
  EXPECT_EQ(WithoutPartition("arn:aws-cn:iam::111122223333:root"), "iam::111122223333:root");
  EXPECT_EQ(WithoutPartition("arn:aws:iam::1:user/a:b"), "iam::1:user/a:b");
  for (const char* other : {"", "arn", "arn:aws", "AIDAEXAMPLE", "iam::1:root"}) {
    EXPECT_EQ(WithoutPartition(other), other);
  }
}

TEST(Enums, WireNames) {
  EXPECT_EQ(ToWire(KeyState::kPendingReplicaDeletion), "PendingReplicaDeletion");
  EXPECT_EQ(FromWire<KeySpec>("SYMMETRIC_DEFAULT"), KeySpec::kSymmetricDefault);
  EXPECT_FALSE(FromWire<KeySpec>("symmetric_default"));
}

}  // namespace
}  // namespace keyturn::model
