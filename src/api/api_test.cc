// The operations: what decodes, what AWS would answer to what does not, and what is written.
#include <gtest/gtest.h>

#include "api/codec.h"
#include "api/errors.h"

namespace keyturn::api {
namespace {

template <typename Request>
Result<Request> Decode(std::string_view text) {
  static json::Parser parser;
  auto value = parser.Parse(text);
  if (!value) return Fail(value.error());
  return DecodeRequest<Request>(*value);
}

template <typename Request>
std::string MessageOf(std::string_view text, ErrorCode code) {
  const auto request = Decode<Request>(text);
  if (request) return "decoded";
  EXPECT_EQ(request.error().code, code);
  return request.error().message;
}

TEST(Operations, FiftyFourInOrder) {
  EXPECT_EQ(AllOperations().size(), 54U);
  EXPECT_EQ(FindOperation("Encrypt"), Operation::kEncrypt);
  EXPECT_FALSE(FindOperation("encrypt"));
  EXPECT_FALSE(FindOperation(""));
  EXPECT_FALSE(FindOperation("VerifyMacs"));
}

TEST(Decode, EncryptWithEverything) {
  const auto request = Decode<EncryptRequest>(
      R"({"KeyId":"alias/a","Plaintext":"aGk=","EncryptionContext":{"b":"2","a":"1"},)"
      R"("EncryptionAlgorithm":"SYMMETRIC_DEFAULT","DryRun":true,"GrantTokens":[],"Later":1,)"
      R"("NullLater":null})");
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->key_id, "alias/a");
  EXPECT_EQ(AsText(request->plaintext.reveal()), "hi");
  EXPECT_EQ(request->encryption_context->size(), 2U);
  EXPECT_EQ(request->encryption_algorithm, model::EncryptionAlgorithmSpec::kSymmetricDefault);
  EXPECT_EQ(request->dry_run, true);
}

TEST(Decode, NullIsAbsent) {
  EXPECT_FALSE(Decode<EnableKeyRotationRequest>(R"({"KeyId":"k","RotationPeriodInDays":null})")
                   ->rotation_period_in_days);
}

TEST(Decode, ConstraintTextsAreAwsTexts) {
  EXPECT_EQ(MessageOf<EnableKeyRotationRequest>(R"({"KeyId":"k","RotationPeriodInDays":2561})",
                                                ErrorCode::kValidationException),
            "1 validation error detected: Value '2561' at 'rotationPeriodInDays' failed to satisfy "
            "constraint: Member must have value less than or equal to 2560");
  EXPECT_EQ(MessageOf<DescribeKeyRequest>("{}", ErrorCode::kValidationException),
            "1 validation error detected: Value null at 'keyId' failed to satisfy constraint: "
            "Member must not be null");
  EXPECT_EQ(
      MessageOf<TagResourceRequest>(R"({"KeyId":"","Tags":[{"TagKey":"","TagValue":"v"}]})",
                                    ErrorCode::kValidationException),
      "2 validation errors detected: Value '' at 'keyId' failed to satisfy constraint: Member "
      "must have length greater than or equal to 1; Value '' at 'tags.1.member.tagKey' failed "
      "to satisfy constraint: Member must have length greater than or equal to 1");
  EXPECT_EQ(MessageOf<GenerateDataKeyRequest>(R"({"KeyId":"k","KeySpec":"AES_512"})",
                                              ErrorCode::kValidationException),
            "1 validation error detected: Value 'AES_512' at 'keySpec' failed to satisfy "
            "constraint: Member must satisfy enum value set: [AES_256, AES_128]");
  EXPECT_EQ(MessageOf<CreateAliasRequest>(R"({"AliasName":"alias/a b","TargetKeyId":"k"})",
                                          ErrorCode::kValidationException),
            "1 validation error detected: Value 'alias/a b' at 'aliasName' failed to satisfy "
            "constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$");
}

TEST(Decode, WhatIsWrongInAListOfEnumsIsOneViolation) {
  EXPECT_EQ(
      MessageOf<DecryptRequest>(
          R"({"CiphertextBlob":"aGk=","DryRunModifiers":["A","IGNORE_CIPHERTEXT","B"]})",
          ErrorCode::kValidationException),
      "1 validation error detected: Value '[A, IGNORE_CIPHERTEXT, B]' at 'dryRunModifiers' failed "
      "to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: "
      "[IGNORE_CIPHERTEXT]]");
  EXPECT_EQ(
      MessageOf<CreateGrantRequest>(R"({"KeyId":"k","GranteePrincipal":"p","Operations":["A",1]})",
                                    ErrorCode::kSerializationException),
      "NUMBER_VALUE can not be converted to a String");
}

// ListOf: a JSON list of count times item.
std::string ListOf(const std::string& item, int count) {
  std::string list = "[" + item;
  for (int i = 1; i < count; ++i) list += "," + item;
  return list + "]";
}

TEST(Decode, TheLengthOfAListIsLookedAtBeforeItsItems) {
  EXPECT_EQ(
      MessageOf<DescribeKeyRequest>(R"({"KeyId":"k","GrantTokens":)" + ListOf("\"\"", 1000) + "}",
                                    ErrorCode::kValidationException),
      "1 validation error detected: Value at 'grantTokens' failed to satisfy constraint: "
      "Member must have length less than or equal to 10");
}

TEST(Decode, AMessageDoesNotGrowFarBeyondItsRequest) {
  constexpr int kItems = 100'000;
  EXPECT_LT(MessageOf<CreateGrantRequest>(R"({"KeyId":"k","GranteePrincipal":"p","Operations":)" +
                                              ListOf("\"\"", kItems) + "}",
                                          ErrorCode::kValidationException)
                .size(),
            3U * kItems);
  EXPECT_LT(
      MessageOf<UntagResourceRequest>(R"({"KeyId":"k","TagKeys":)" + ListOf("\"\"", kItems) + "}",
                                      ErrorCode::kValidationException)
          .size(),
      3U * kItems);
  EXPECT_EQ(MessageOf<TagResourceRequest>(R"({"KeyId":"k","Tags":)" + ListOf("{}", kItems) + "}",
                                          ErrorCode::kValidationException)
                .substr(0, 31),
            "100 validation errors detected:");
}

TEST(Decode, SecretsAreNotEchoed) {
  const std::string big(8000, 'A');
  EXPECT_EQ(
      MessageOf<EncryptRequest>(R"({"KeyId":"k","Plaintext":")" + big + "\"}",
                                ErrorCode::kValidationException),
      "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member "
      "must have length less than or equal to 4096");
}

TEST(Decode, WrongTypesAreSerializationErrors) {
  for (const char* bad :
       {R"([])", R"("x")", R"({"KeyId":1,"Plaintext":"aGk="})", R"({"KeyId":"k","Plaintext":1})",
        R"({"KeyId":"k","Plaintext":"a"})", R"({"KeyId":"k","Plaintext":"aGk"})",
        R"({"KeyId":{},"Plaintext":"aGk="})", R"({"KeyId":"k","Plaintext":"aGk=","DryRun":"yes"})",
        R"({"KeyId":"k","Plaintext":"aGk=","EncryptionContext":{"a":1}})",
        R"({"KeyId":"k","Plaintext":"aGk=","EncryptionContext":[]})",
        R"({"KeyId":"k","Plaintext":"aGk=","GrantTokens":{}})"}) {
    MessageOf<EncryptRequest>(bad, ErrorCode::kSerializationException);
  }
  EXPECT_EQ(MessageOf<ListKeysRequest>(R"({"Limit":"5"})", ErrorCode::kSerializationException),
            "STRING_VALUE can not be converted to an Integer");
  EXPECT_EQ(MessageOf<ListKeysRequest>(R"({"Limit":5.0})", ErrorCode::kSerializationException),
            "NUMBER_VALUE can not be converted to an Integer");
}

TEST(Decode, LengthCountsCharactersNotBytes) {
  std::string value;
  for (int i = 0; i < 256; ++i) value += "\xC3\xA9";
  EXPECT_TRUE(Decode<TagResourceRequest>(R"({"KeyId":"k","Tags":[{"TagKey":"a","TagValue":")" +
                                         value + "\"}]}"));
  EXPECT_FALSE(Decode<TagResourceRequest>(R"({"KeyId":"k","Tags":[{"TagKey":"a","TagValue":")" +
                                          value + "e\"}]}"));
}

TEST(Encode, AbsentMembersAreLeftOutAndEmptyListsAreNot) {
  ListKeyRotationsResponse response;
  response.rotations.emplace();
  response.truncated = false;
  std::string out;
  EncodeMembers(response, out);
  EXPECT_EQ(out, R"({"Rotations":[],"Truncated":false})");
}

TEST(Trail, ShowsNoSecretsAndLowerCamelNames) {
  auto request = Decode<EncryptRequest>(
      R"({"KeyId":"k","Plaintext":"aGk=","EncryptionContext":{"Purpose":"x"},"GrantTokens":["t"]})");
  std::string out;
  EXPECT_TRUE(AppendTrailObject(*request, out));
  EXPECT_EQ(out, R"({"keyId":"k","encryptionContext":{"Purpose":"x"}})");
  out.clear();
  EXPECT_FALSE(AppendTrailObject(ListKeysRequest{}, out));
  EXPECT_EQ(out, "");
  ScheduleKeyDeletionResponse response;
  response.deletion_date = FromEpochMillis(1660171107000);
  EXPECT_TRUE(AppendTrailObject(response, out));
  EXPECT_EQ(out, R"({"deletionDate":"Aug 10, 2022, 10:38:27 PM"})");
}

TEST(Errors, BodiesOnTheWire) {
  std::string out;
  AppendError({ErrorCode::kNotFoundException, "Key 'x' does not exist", {}}, out);
  EXPECT_EQ(out, R"({"__type":"NotFoundException","message":"Key 'x' does not exist"})");
  out.clear();
  AppendError({ErrorCode::kInvalidCiphertextException, {}, {}}, out);
  EXPECT_EQ(out, R"({"__type":"InvalidCiphertextException"})");
  out.clear();
  AppendError({ErrorCode::kNoSpace, "/secret/path is full", "cause"}, out);
  EXPECT_EQ(out, R"({"__type":"KMSInternalException"})");
  EXPECT_EQ(Wire(ErrorCode::kNoSpace).http_status, 500);
  EXPECT_EQ(Wire(ErrorCode::kAccessDeniedException).http_status, 400);
}

}  // namespace
}  // namespace keyturn::api
