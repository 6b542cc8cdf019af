// Key states: every operation in every state, and the transitions between states.
#include "keys/key.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace keyturn::keys {
namespace {

using model::KeyState;

constexpr TimePoint kNow{Millis{1'800'000'000'123}};
constexpr const char* kArn =
    "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

Key KeyIn(KeyState state) {
  Key key;
  key.id = *model::KeyId::Parse("1234abcd-12ab-34cd-56ef-1234567890ab");
  key.account = *model::AccountId::Parse("111122223333");
  key.region = *model::Region::Intern("eu-central-1");
  key.state = state;
  key.creation_date = kNow - Days{1};
  key.current_material = *model::MaterialId::ParseHex(std::string(64, 'a'));
  if (state == KeyState::kPendingImport) {
    key.origin = model::Origin::kExternal;
  } else if (state == KeyState::kUnavailable) {
    key.origin = model::Origin::kAwsCloudhsm;
  } else if (state == KeyState::kPendingDeletion) {
    key.deletion_date = kNow + Days{7};
  }
  return key;
}

// The published table of operations and key states. ok: allowed. D: DisabledException. P, nP, I, U,
// Cr, Up: KMSInvalidStateException. X: UnsupportedOperationException because of the origin.
constexpr const char* kStates =
    "Enabled Disabled PendingDeletion PendingReplicaDeletion PendingImport Unavailable Creating "
    "Updating";
constexpr const char* kTable = R"(
  CancelKeyDeletion      nP  nP  ok  ok  nP  nP  nP  nP
  CreateAlias            ok  ok  P   P   ok  ok  ok  ok
  CreateGrant            ok  D   P   P   I   ok  Cr  ok
  Decrypt                ok  D   P   P   I   U   Cr  ok
  DeleteAlias            ok  ok  ok  ok  ok  ok  ok  ok
  DeleteImportedKeyMaterial ok ok ok  ok  ok  X   Cr  Up
  DescribeKey            ok  ok  ok  ok  ok  ok  ok  ok
  DisableKey             ok  ok  P   P   I   ok  Cr  Up
  DisableKeyRotation     ok  D   P   P   X   X   Cr  ok
  EnableKey              ok  ok  P   P   I   ok  Cr  Up
  EnableKeyRotation      ok  D   P   P   X   X   Cr  ok
  Encrypt                ok  D   P   P   I   U   Cr  ok
  GenerateDataKey        ok  D   P   P   I   U   Cr  ok
  GetKeyPolicy           ok  ok  ok  ok  ok  ok  ok  ok
  GetKeyRotationStatus   ok  ok  ok  ok  ok  ok  ok  ok
  GetParametersForImport ok  ok  P   P   ok  X   Cr  Up
  ImportKeyMaterial      ok  ok  P   P   ok  X   Cr  ok
  ListAliases            ok  ok  ok  ok  ok  ok  ok  ok
  ListKeyPolicies        ok  ok  ok  ok  ok  ok  ok  ok
  ListKeyRotations       ok  ok  ok  ok  ok  X   ok  ok
  ListResourceTags       ok  ok  ok  ok  ok  ok  ok  ok
  PutKeyPolicy           ok  ok  ok  ok  ok  ok  ok  ok
  ReEncrypt              ok  D   P   P   I   U   Cr  ok
  ReplicateKey           ok  D   P   P   I   U   Cr  Up
  RotateKeyOnDemand      ok  D   P   P   I   X   Cr  ok
  ScheduleKeyDeletion    ok  ok  P   P   ok  ok  ok  Up
  TagResource            ok  ok  P   P   ok  ok  ok  ok
  UntagResource          ok  ok  P   P   ok  ok  ok  ok
  UpdateAliasNewTarget   ok  ok  P   P   ok  ok  ok  ok
  UpdateKeyDescription   ok  ok  P   P   ok  ok  ok  ok
  UpdatePrimaryRegion    ok  D   P   P   I   U   Cr  ok
)";

const std::map<std::string, KeyOperation>& Operations() {
  static const std::map<std::string, KeyOperation> operations = {
      {"CancelKeyDeletion", KeyOperation::kCancelKeyDeletion},
      {"CreateAlias", KeyOperation::kCreateAlias},
      {"CreateGrant", KeyOperation::kCreateGrant},
      {"Decrypt", KeyOperation::kDecrypt},
      {"DeleteAlias", KeyOperation::kDeleteAlias},
      {"DeleteImportedKeyMaterial", KeyOperation::kDeleteImportedKeyMaterial},
      {"DescribeKey", KeyOperation::kDescribeKey},
      {"DisableKey", KeyOperation::kDisableKey},
      {"DisableKeyRotation", KeyOperation::kDisableKeyRotation},
      {"EnableKey", KeyOperation::kEnableKey},
      {"EnableKeyRotation", KeyOperation::kEnableKeyRotation},
      {"Encrypt", KeyOperation::kEncrypt},
      {"GenerateDataKey", KeyOperation::kGenerateDataKey},
      {"GetKeyPolicy", KeyOperation::kGetKeyPolicy},
      {"GetKeyRotationStatus", KeyOperation::kGetKeyRotationStatus},
      {"GetParametersForImport", KeyOperation::kGetParametersForImport},
      {"ImportKeyMaterial", KeyOperation::kImportKeyMaterial},
      {"ListAliases", KeyOperation::kListAliases},
      {"ListKeyPolicies", KeyOperation::kListKeyPolicies},
      {"ListKeyRotations", KeyOperation::kListKeyRotations},
      {"ListResourceTags", KeyOperation::kListResourceTags},
      {"PutKeyPolicy", KeyOperation::kPutKeyPolicy},
      {"ReEncrypt", KeyOperation::kReEncrypt},
      {"ReplicateKey", KeyOperation::kReplicateKey},
      {"RotateKeyOnDemand", KeyOperation::kRotateKeyOnDemand},
      {"ScheduleKeyDeletion", KeyOperation::kScheduleKeyDeletion},
      {"TagResource", KeyOperation::kTagResource},
      {"UntagResource", KeyOperation::kUntagResource},
      {"UpdateAliasNewTarget", KeyOperation::kUpdateAliasNewTarget},
      {"UpdateKeyDescription", KeyOperation::kUpdateKeyDescription},
      {"UpdatePrimaryRegion", KeyOperation::kUpdatePrimaryRegion},
  };
  return operations;
}

std::vector<std::string> Words(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string word; in >> word;) {
    words.push_back(word);
  }
  return words;
}

// What a caller sees: the wire name, a space, the message with the ARN shortened.
std::string Seen(const Status& status) {
  if (status) {
    return "ok";
  }
  std::string message = status.error().message;
  if (const std::size_t at = message.find(kArn); at != std::string::npos) {
    message.replace(at, std::string(kArn).size(), "<ARN>");
  }
  return std::string(ErrorCodeName(status.error().code)) + " " + message;
}

std::string Expected(const std::string& code, KeyState state) {
  const std::string invalid = "KMSInvalidStateException <ARN> is ";
  if (code == "P") {
    return invalid + (state == KeyState::kPendingDeletion ? "pending deletion."
                                                          : "pending replica deletion.");
  }
  if (code == "X") {
    return std::string("UnsupportedOperationException <ARN> origin is ") +
           (state == KeyState::kPendingImport ? "EXTERNAL" : "AWS_CLOUDHSM") +
           " which is not valid for this operation.";
  }
  const std::map<std::string, std::string> texts = {
      {"ok", "ok"},
      {"D", "DisabledException <ARN> is disabled."},
      {"nP", invalid + "not pending deletion."},
      {"I", invalid + "pending import."},
      {"U", invalid + "unavailable."},
      {"Cr", invalid + "creating."},
      {"Up", invalid + "updating."},
  };
  return texts.at(code);
}

TEST(CheckState, FollowsThePublishedTable) {
  const std::vector<std::string> states = Words(kStates);
  std::set<std::string> rows;
  std::istringstream table(kTable);
  for (std::string line; std::getline(table, line);) {
    const std::vector<std::string> words = Words(line);
    if (words.empty()) {
      continue;
    }
    ASSERT_EQ(words.size(), states.size() + 1) << line;
    ASSERT_TRUE(Operations().contains(words[0])) << words[0];
    rows.insert(words[0]);
    for (std::size_t i = 0; i < states.size(); ++i) {
      const auto state = model::FromWire<KeyState>(states[i]);
      ASSERT_TRUE(state) << states[i];
      EXPECT_EQ(Seen(CheckState(KeyIn(*state), Operations().at(words[0]))),
                Expected(words[i + 1], *state))
          << words[0] << " in " << states[i];
    }
  }
  EXPECT_EQ(rows.size(), Operations().size()) << "an operation has no row";
  EXPECT_EQ(states.size(), std::size(model::EnumTable<KeyState>::kNames));
}

TEST(Key, ArnNamesRegionAndAccount) { EXPECT_EQ(KeyIn(KeyState::kEnabled).arn(), kArn); }

TEST(EnableKey, EnablesADisabledKeyAndKeepsAnEnabledOne) {
  EXPECT_EQ(EnableKey(KeyIn(KeyState::kDisabled))->state, KeyState::kEnabled);
  EXPECT_EQ(EnableKey(KeyIn(KeyState::kEnabled))->state, KeyState::kEnabled);
}

TEST(EnableKey, DoesNotMakeAnUnavailableKeyUsable) {
  EXPECT_EQ(EnableKey(KeyIn(KeyState::kUnavailable))->state, KeyState::kUnavailable);
}

TEST(WhileDisconnected, EnabledAndDisabledAreUnavailableAndComeBack) {
  for (const KeyState state : {KeyState::kEnabled, KeyState::kDisabled}) {
    const Key seen = WhileDisconnected(KeyIn(state));
    EXPECT_EQ(seen.state, KeyState::kUnavailable);
    EXPECT_EQ(Stored(seen).state, state);
    EXPECT_FALSE(Stored(seen).resumes);
  }
  const Key pending = WhileDisconnected(KeyIn(KeyState::kPendingDeletion));
  EXPECT_EQ(pending.state, KeyState::kPendingDeletion);
  EXPECT_EQ(Stored(pending).state, KeyState::kPendingDeletion);
}

TEST(WhileDisconnected, WhatIsAskedForThenCountsOnceConnected) {
  const Key enabled = WhileDisconnected(KeyIn(KeyState::kEnabled));
  EXPECT_EQ(Stored(*DisableKey(enabled)).state, KeyState::kDisabled);
  EXPECT_EQ(Stored(*EnableKey(*DisableKey(enabled))).state, KeyState::kEnabled);
  EXPECT_EQ(DisableKey(enabled)->state, KeyState::kUnavailable) << "and not before";
  const Key scheduled = *ScheduleKeyDeletion(enabled, Days{7}, kNow);
  EXPECT_EQ(scheduled.state, KeyState::kPendingDeletion);
  EXPECT_EQ(Stored(scheduled).state, KeyState::kPendingDeletion);
  EXPECT_EQ(Stored(WhileDisconnected(*CancelKeyDeletion(scheduled))).state, KeyState::kDisabled);
}

TEST(CheckHere, RefusesKeysOfCustomKeyStoresByTheirOrigin) {
  Key key = KeyIn(KeyState::kEnabled);
  EXPECT_TRUE(CheckHere(key));
  key.origin = model::Origin::kExternalKeyStore;
  key.custody = std::make_shared<const Custody>(Custody{"cks-1", "key"});
  const Status refused = CheckHere(key);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupportedOperationException);
  EXPECT_EQ(refused.error().message,
            std::string(kArn) +
                " origin is EXTERNAL_KEY_STORE which is not valid for this "
                "operation.");
}

TEST(EnableKey, IsRefusedWhileDeletionIsPending) {
  EXPECT_EQ(EnableKey(KeyIn(KeyState::kPendingDeletion)).error().code,
            ErrorCode::kKMSInvalidStateException);
}

TEST(DisableKey, DisablesAnEnabledKeyAndKeepsADisabledOne) {
  EXPECT_EQ(DisableKey(KeyIn(KeyState::kEnabled))->state, KeyState::kDisabled);
  EXPECT_EQ(DisableKey(KeyIn(KeyState::kDisabled))->state, KeyState::kDisabled);
  EXPECT_EQ(DisableKey(KeyIn(KeyState::kUnavailable))->state, KeyState::kUnavailable);
}

TEST(ScheduleKeyDeletion, DeletionDateIsNowPlusTheWindow) {
  for (const std::int32_t days : {7, 8, 29, 30}) {
    const auto key = ScheduleKeyDeletion(KeyIn(KeyState::kEnabled), Days{days}, kNow);
    ASSERT_TRUE(key) << days;
    EXPECT_EQ(key->state, KeyState::kPendingDeletion);
    EXPECT_EQ(key->deletion_date, kNow + Days{days});
  }
}

TEST(ScheduleKeyDeletion, WindowOutsideSevenToThirtyDaysFails) {
  for (const std::int32_t days : {-2147483647, -1, 0, 1, 6}) {
    const auto key = ScheduleKeyDeletion(KeyIn(KeyState::kEnabled), Days{days}, kNow);
    ASSERT_FALSE(key) << days;
    EXPECT_EQ(key.error().code, ErrorCode::kValidationException);
    EXPECT_EQ(key.error().message,
              "1 validation error detected: Value '" + std::to_string(days) +
                  "' at 'pendingWindowInDays' failed to satisfy constraint: Member must have value "
                  "greater than or equal to 7");
  }
  for (const std::int32_t days : {31, 365, 2147483647}) {
    const auto key = ScheduleKeyDeletion(KeyIn(KeyState::kEnabled), Days{days}, kNow);
    ASSERT_FALSE(key) << days;
    EXPECT_EQ(key.error().message,
              "1 validation error detected: Value '" + std::to_string(days) +
                  "' at 'pendingWindowInDays' failed to satisfy constraint: Member must have value "
                  "less than or equal to 30");
  }
}

TEST(ScheduleKeyDeletion, CannotBeRepeatedToMoveTheDate) {
  EXPECT_EQ(ScheduleKeyDeletion(KeyIn(KeyState::kPendingDeletion), Days{30}, kNow).error().code,
            ErrorCode::kKMSInvalidStateException);
}

TEST(CancelKeyDeletion, LeavesTheKeyDisabledWithoutADate) {
  for (const KeyState state : {KeyState::kPendingDeletion, KeyState::kPendingReplicaDeletion}) {
    const auto key = CancelKeyDeletion(KeyIn(state));
    ASSERT_TRUE(key);
    EXPECT_EQ(key->state, KeyState::kDisabled);
    EXPECT_FALSE(key->deletion_date);
  }
}

TEST(CancelKeyDeletion, AKeyThatWaitsForImportWaitsAgain) {
  Key key = KeyIn(KeyState::kPendingImport);
  key.current_material = model::MaterialId();
  key = *ScheduleKeyDeletion(key, Days{7}, kNow);
  EXPECT_EQ(CancelKeyDeletion(key)->state, KeyState::kPendingImport);
  key.current_material = *model::MaterialId::ParseHex(std::string(64, 'b'));
  EXPECT_EQ(CancelKeyDeletion(key)->state, KeyState::kDisabled);
}

TEST(IsDeletionDue, FromTheDateOnAndOnlyWhilePending) {
  const Key key = KeyIn(KeyState::kPendingDeletion);
  const TimePoint date = *key.deletion_date;
  EXPECT_FALSE(IsDeletionDue(key, date - Millis{1}));
  EXPECT_TRUE(IsDeletionDue(key, date));
  EXPECT_TRUE(IsDeletionDue(key, date + Days{400}));
  EXPECT_FALSE(IsDeletionDue(*CancelKeyDeletion(key), date + Days{400}));
  EXPECT_FALSE(IsDeletionDue(KeyIn(KeyState::kPendingReplicaDeletion), date + Days{400}));
}

}  // namespace
}  // namespace keyturn::keys
