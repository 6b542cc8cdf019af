// Imported material: what each import, deletion and expiry makes of a key.
#include "keys/imports.h"

#include <gtest/gtest.h>

#include <string>

namespace keyturn::keys {
namespace {

using model::ExpirationModelType;
using model::ImportType;
using model::KeyState;

constexpr TimePoint kNow{Millis{1'800'000'000'123}};

model::MaterialId Id(char digit) { return *model::MaterialId::ParseHex(std::string(64, digit)); }

// A key and its list, changed as the service changes them.
struct Subject {
  Key key;
  std::vector<ImportedMaterial> imports;

  Subject() {
    key.id = *model::KeyId::Parse("1234abcd-12ab-34cd-56ef-1234567890ab");
    key.account = *model::AccountId::Parse("111122223333");
    key.region = *model::Region::Intern("eu-central-1");
    key.origin = model::Origin::kExternal;
    key.state = KeyState::kPendingImport;
  }
  Status Take(const ImportRequest& request) {
    KT_ASSIGN(ImportDecision decision, Import(key, imports, request));
    key = decision.key;
    if (decision.is_new) {
      EXPECT_EQ(decision.generation, imports.size());
      imports.push_back(decision.material);
    } else {
      imports.at(decision.generation) = decision.material;
    }
    return {};
  }
  Status Delete(const std::optional<model::MaterialId>& id) {
    KT_ASSIGN(DeleteDecision decision, DeleteImported(key, imports, id));
    key = decision.key;
    if (decision.drop) {
      imports.pop_back();
    } else if (decision.generation) {
      imports = WithoutBytes(imports, *decision.generation);
    }
    return {};
  }
  void Rotate() {
    ASSERT_TRUE(PendingOf(key, imports));
    ++key.generation;
    key.current_material = imports.back().id;
  }
};

std::string Refusal(const Status& status) {
  return status ? "ok"
                : std::string(ErrorCodeName(status.error().code)) + " " + status.error().message;
}

TEST(Imports, TheFirstMaterialIsCurrentAtOnce) {
  Subject s;
  EXPECT_TRUE(LacksMaterial(s.key, s.imports));
  EXPECT_EQ(PendingOf(s.key, s.imports), std::nullopt);
  ASSERT_TRUE(s.Take({.id = Id('a')}));
  EXPECT_EQ(s.key.state, KeyState::kEnabled);
  EXPECT_EQ(s.key.current_material, Id('a'));
  EXPECT_EQ(s.key.generation, 0U);
  EXPECT_FALSE(LacksMaterial(s.key, s.imports));
  EXPECT_EQ(PendingOf(s.key, s.imports), std::nullopt);
}

TEST(Imports, ADisabledKeyIsEnabledByAnImport) {
  Subject s;
  ASSERT_TRUE(s.Take({.id = Id('a')}));
  s.key.state = KeyState::kDisabled;
  ASSERT_TRUE(s.Take({.id = Id('a')}));
  EXPECT_EQ(s.key.state, KeyState::kEnabled);
}

TEST(Imports, ASecondMaterialWaitsForARotation) {
  Subject s;
  ASSERT_TRUE(s.Take({.id = Id('a')}));
  ASSERT_TRUE(s.Take({.id = Id('b'), .type = ImportType::kNewKeyMaterial, .description = "two"}));
  EXPECT_EQ(s.key.current_material, Id('a'));
  EXPECT_EQ(PendingOf(s.key, s.imports), 1U);
  EXPECT_EQ(Refusal(s.Take({.id = Id('c'), .type = ImportType::kNewKeyMaterial})),
            "KMSInvalidStateException New key material (id: " + Id('c').hex() +
                ") cannot be imported into KMS key " + s.key.arn() +
                ", because another key material (id: " + Id('b').hex() + ") is pending rotation.");
  ASSERT_TRUE(s.Delete(Id('b')));
  EXPECT_EQ(s.key.state, KeyState::kEnabled);
  EXPECT_EQ(s.imports.size(), 1U);
  ASSERT_TRUE(s.Take({.id = Id('c'), .type = ImportType::kNewKeyMaterial}));
  EXPECT_EQ(s.imports.back().description, "") << "the description went with the dropped one";
}

TEST(Imports, BytesAreKnownOrNewAndNeverTakenForTheOther) {
  Subject s;
  ASSERT_TRUE(s.Take({.id = Id('a')}));
  EXPECT_EQ(Refusal(s.Take({.id = Id('b')})),
            "IncorrectKeyMaterialException Imported key material does not have the expected "
            "identifier (" +
                Id('a').hex() + ").");
  EXPECT_EQ(Refusal(s.Take({.id = Id('b'), .expected_id = Id('c')})),
            "IncorrectKeyMaterialException Imported key material does not have the expected "
            "identifier (" +
                Id('c').hex() + ").");
  EXPECT_EQ(Refusal(s.Take({.id = Id('a'), .type = ImportType::kNewKeyMaterial})),
            "IncorrectKeyMaterialException Key material (id: " + Id('a').hex() +
                ") being imported as NEW_KEY_MATERIAL is already associated with KMS key " +
                s.key.arn() + ".");
  EXPECT_EQ(
      Refusal(s.Take({.id = Id('b'), .expected_id = Id('b'), .type = ImportType::kNewKeyMaterial})),
      "ValidationException Input parameter keyMaterialId cannot be used with "
      "NEW_KEY_MATERIAL importType.");
  EXPECT_TRUE(s.Take({.id = Id('a'), .expected_id = Id('a')}));
}

TEST(Imports, TheFirstImportTakesNoIdAsNoNewMaterialDoes) {
  Subject s;
  const std::string refusal =
      "ValidationException Input parameter keyMaterialId cannot be used with NEW_KEY_MATERIAL "
      "importType.";
  EXPECT_EQ(Refusal(s.Take({.id = Id('a'), .expected_id = Id('b')})), refusal);
  EXPECT_EQ(Refusal(s.Take({.id = Id('a'), .expected_id = Id('a')})), refusal);
  EXPECT_EQ(s.key.state, KeyState::kPendingImport);
  EXPECT_TRUE(s.Take({.id = Id('a')}));
}

TEST(Imports, EveryMaterialOfAKeyMustBeThere) {
  Subject s;
  ASSERT_TRUE(s.Take({.id = Id('a'), .description = "one"}));
  ASSERT_TRUE(s.Take({.id = Id('b'), .type = ImportType::kNewKeyMaterial}));
  s.Rotate();
  EXPECT_EQ(PendingOf(s.key, s.imports), std::nullopt);
  ASSERT_TRUE(s.Delete(Id('a'))) << "not the current one";
  EXPECT_EQ(s.key.state, KeyState::kPendingImport);
  ASSERT_TRUE(s.Delete(std::nullopt)) << "the current one";
  ASSERT_TRUE(s.Delete(std::nullopt)) << "again: nothing to do";
  ASSERT_TRUE(s.Take({.id = Id('a')}));
  EXPECT_EQ(s.key.state, KeyState::kPendingImport) << "the other is missing still";
  EXPECT_EQ(s.imports[0].description, "one") << "kept when none is given";
  ASSERT_TRUE(s.Take({.id = Id('b')}));
  EXPECT_EQ(s.key.state, KeyState::kEnabled);
  EXPECT_EQ(s.key.current_material, Id('b'));
}

TEST(Imports, DeletingWhatWasNeverImported) {
  Subject s;
  EXPECT_TRUE(s.Delete(std::nullopt)) << "no material at all: nothing to do";
  EXPECT_EQ(Refusal(s.Delete(Id('a'))), "ValidationException Key material (id: " + Id('a').hex() +
                                            ") has never been imported into KMS key " +
                                            s.key.arn() + ".");
  s.key.origin = model::Origin::kAwsKms;
  EXPECT_EQ(Refusal(s.Delete(std::nullopt)),
            "UnsupportedOperationException " + s.key.arn() +
                " origin is AWS_KMS which is not valid for this operation.");
}

TEST(Imports, AKeyThatWaitsForItsDeletionKeepsWaiting) {
  Subject s;
  ASSERT_TRUE(s.Take({.id = Id('a')}));
  s.key = *ScheduleKeyDeletion(s.key, Days{7}, kNow);
  ASSERT_TRUE(s.Delete(std::nullopt));
  EXPECT_EQ(s.key.state, KeyState::kPendingDeletion);
  EXPECT_EQ(Refusal(s.Take({.id = Id('a')})),
            "KMSInvalidStateException " + s.key.arn() + " is pending deletion.");
  s.key = *CancelKeyDeletion(s.key, LacksMaterial(s.key, s.imports));
  EXPECT_EQ(s.key.state, KeyState::kPendingImport);
}

TEST(Imports, ExpiryIsTheEarliestOfWhatBelongsToTheKey) {
  Subject s;
  ASSERT_TRUE(s.Take({.id = Id('a'), .valid_to = kNow + Days{9}}));
  EXPECT_EQ(EarliestExpiry(s.key, s.imports), kNow + Days{9});
  ASSERT_TRUE(
      s.Take({.id = Id('b'), .type = ImportType::kNewKeyMaterial, .valid_to = kNow + Days{3}}));
  EXPECT_EQ(EarliestExpiry(s.key, s.imports), kNow + Days{9}) << "a waiting one does not expire";
  s.Rotate();
  EXPECT_EQ(EarliestExpiry(s.key, s.imports), kNow + Days{3});
  ASSERT_TRUE(s.Delete(Id('b')));
  EXPECT_EQ(EarliestExpiry(s.key, s.imports), kNow + Days{9});
  ASSERT_TRUE(s.Take({.id = Id('b')}));
  ASSERT_TRUE(s.Take({.id = Id('a')})) << "without expiry now";
  EXPECT_EQ(EarliestExpiry(s.key, s.imports), std::nullopt);
}

TEST(Imports, ValidToIsCheckedAndKeptInSeconds) {
  const auto with = [](std::optional<ExpirationModelType> model, std::optional<TimePoint> to) {
    const auto result = Validity(model, to, kNow);
    return result ? Refusal({}) : Refusal(Fail(result.error()));
  };
  const auto never = ExpirationModelType::kKeyMaterialDoesNotExpire;
  const auto expires = ExpirationModelType::kKeyMaterialExpires;
  const std::string must =
      "ValidationException A validTo date must be set if the ExpirationModel "
      "is KEY_MATERIAL_EXPIRES";
  EXPECT_EQ(with(std::nullopt, std::nullopt), must);
  EXPECT_EQ(with(expires, std::nullopt), must);
  EXPECT_EQ(with(never, std::nullopt), "ok");
  EXPECT_EQ(with(never, kNow + Days{1}),
            "ValidationException A validTo date cannot be set if the ExpirationModel is "
            "KEY_MATERIAL_DOES_NOT_EXPIRE");
  EXPECT_EQ(with(expires, kNow), "ValidationException ValidTo must be in the future");
  EXPECT_EQ(with(expires, kNow + Days{365} + Days{1}),
            "ValidationException ValidTo must be less than 365 days in the future");
  EXPECT_EQ(with(expires, kNow + Days{365} - Millis{1}), "ok");
  EXPECT_EQ(**Validity({}, kNow + Days{1}, kNow), kNow + Days{1} - Millis{123});
  EXPECT_EQ(*Validity(never, {}, kNow), std::nullopt);
}

TEST(Imports, AReplicaTakesOnlyWhatItsPrimaryHas) {
  Subject s;
  s.key.multi_region = true;
  s.key.primary_region = *model::Region::Intern("us-east-1");
  s.key.current_material = Id('a');
  s.imports = {{.id = Id('a'), .present = false, .valid_to = {}, .description = "theirs"}};
  EXPECT_EQ(Refusal(s.Take({.id = Id('b'), .type = ImportType::kNewKeyMaterial})),
            "ValidationException Input parameter ImportType NEW_KEY_MATERIAL cannot be used on "
            "replica Multi-Region keys");
  EXPECT_EQ(Refusal(s.Take({.id = Id('a'), .description = "ours"})),
            "ValidationException Key material description can only be specified on primary "
            "Multi-Region keys");
  ASSERT_TRUE(s.Take({.id = Id('a')}));
  EXPECT_EQ(s.key.state, KeyState::kEnabled);
  EXPECT_EQ(s.imports[0].description, "theirs");
  s.imports.push_back({.id = Id('b'), .present = true, .valid_to = {}, .description = {}});
  ASSERT_TRUE(s.Delete(Id('b')));
  EXPECT_EQ(s.imports.size(), 2U) << "the primary's waiting material stays listed";
  EXPECT_FALSE(s.imports[1].present);
  EXPECT_EQ(s.key.state, KeyState::kEnabled);
}

TEST(Imports, OtherKindsOfKeyHaveOneMaterialForGood) {
  Subject s;
  s.key.spec = model::KeySpec::kHmac256;
  s.key.usage = model::KeyUsage::kGenerateVerifyMac;
  ASSERT_TRUE(s.Take({.id = Id('a')}));
  const auto cannot_be_used = [](const char* member) {
    return std::string("ValidationException Input parameter ") + member +
           " cannot be used with HMAC_256 imported keys.";
  };
  EXPECT_EQ(Refusal(s.Take({.id = Id('b'), .type = ImportType::kNewKeyMaterial})),
            cannot_be_used("importType"));
  EXPECT_EQ(Refusal(s.Take({.id = Id('a'), .expected_id = Id('a')})),
            cannot_be_used("keyMaterialId"));
  EXPECT_EQ(Refusal(s.Take({.id = Id('a'), .description = "one"})),
            cannot_be_used("keyMaterialDescription"));
  ASSERT_TRUE(s.Delete(std::nullopt));
  EXPECT_EQ(s.key.state, KeyState::kPendingImport);
  EXPECT_EQ(Refusal(s.Take({.id = Id('b')})),
            "IncorrectKeyMaterialException Imported key material does not have the expected "
            "identifier (" +
                Id('a').hex() + ").");
  EXPECT_TRUE(s.Take({.id = Id('a')}));
}

}  // namespace
}  // namespace keyturn::keys
