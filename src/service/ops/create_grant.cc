#include "api/ops/create_grant.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "api/violation.h"
#include "base/hex.h"
#include "policy/context.h"
#include "service/ops/common.h"

namespace keyturn::service {
namespace {

using model::GrantOperation;

// Source: KMS API reference, GrantConstraints.
constexpr std::size_t kContextPairsMax = 8;
constexpr std::size_t kContextValueMax = 384;  // characters

// Valid operations of each kind of key, in AWS's order.
// Source: KMS Developer Guide, "Grant operations".
std::vector<GrantOperation> ValidOperations(const keys::Key& key) {
  std::vector<GrantOperation> valid = {GrantOperation::kCreateGrant, GrantOperation::kRetireGrant,
                                       GrantOperation::kDescribeKey};
  const auto add = [&](std::initializer_list<GrantOperation> more) {
    valid.insert(valid.end(), more);
  };
  switch (key.usage) {
    case model::KeyUsage::kEncryptDecrypt:
      if (key.spec == model::KeySpec::kSymmetricDefault) {
        add({GrantOperation::kEncrypt, GrantOperation::kDecrypt, GrantOperation::kGenerateDataKey,
             GrantOperation::kGenerateDataKeyWithoutPlaintext, GrantOperation::kGenerateDataKeyPair,
             GrantOperation::kGenerateDataKeyPairWithoutPlaintext, GrantOperation::kReEncryptFrom,
             GrantOperation::kReEncryptTo});
      } else {
        add({GrantOperation::kGetPublicKey, GrantOperation::kEncrypt, GrantOperation::kDecrypt,
             GrantOperation::kReEncryptFrom, GrantOperation::kReEncryptTo});
      }
      break;
    case model::KeyUsage::kSignVerify:
      add({GrantOperation::kGetPublicKey, GrantOperation::kSign, GrantOperation::kVerify});
      break;
    case model::KeyUsage::kGenerateVerifyMac:
      add({GrantOperation::kGenerateMac, GrantOperation::kVerifyMac});
      break;
    case model::KeyUsage::kKeyAgreement:
      add({GrantOperation::kGetPublicKey, GrantOperation::kDeriveSharedSecret});
      break;
  }
  return valid;
}

std::string Names(const std::vector<GrantOperation>& operations) {
  std::string names;
  for (const GrantOperation operation : operations) {
    names.append(names.empty() ? "" : ", ").append(model::ToWire(operation));
  }
  return names;
}

Status CheckOperations(const keys::Key& key, const std::vector<GrantOperation>& operations) {
  if (operations.empty()) {
    return Fail(ErrorCode::kValidationException,
                "1 validation error detected: Value '[]' at 'operations' failed to satisfy "
                "constraint: Member must have length greater than or equal to 1");
  }
  const auto valid = ValidOperations(key);
  std::vector<GrantOperation> misfits;
  for (const GrantOperation operation : operations) {
    if (std::find(valid.begin(), valid.end(), operation) == valid.end()) {
      misfits.push_back(operation);
    }
  }
  if (misfits.empty()) return {};
  const bool symmetric = key.spec == model::KeySpec::kSymmetricDefault ||
                         key.usage == model::KeyUsage::kGenerateVerifyMac;
  return Fail(ErrorCode::kValidationException,
              fmt::format("Operations [{}] are not supported when creating a grant for {} KMS key "
                          "with key usage {}. Valid operations are [{}]",
                          Names(misfits), symmetric ? "a symmetric" : "an asymmetric",
                          model::ToWire(key.usage), Names(valid)));
}

using Pairs = std::optional<std::map<std::string, std::string>>;

std::optional<std::vector<store::Tag>> ToTags(const Pairs& pairs) {
  if (!pairs) return std::nullopt;
  std::vector<store::Tag> tags;
  for (const auto& [name, value] : *pairs) tags.push_back({name, value});
  return tags;
}

bool HasTwins(const std::map<std::string, std::string>& pairs) {
  std::set<std::string> names;
  return std::any_of(pairs.begin(), pairs.end(), [&](const auto& pair) {
    return !names.insert(policy::ToLowerAscii(pair.first)).second;
  });
}

Status CheckConstraints(const keys::Key& key, const std::optional<api::GrantConstraints>& given) {
  if (!given) return {};
  if (key.spec != model::KeySpec::kSymmetricDefault) {
    return Fail(ErrorCode::kValidationException,
                "EncryptionContext is supported only when creating a grant for a symmetric "
                "encryption KMS key.");
  }
  for (const Pairs* pairs :
       {&given->encryption_context_equals, &given->encryption_context_subset}) {
    if (*pairs && (*pairs)->size() > kContextPairsMax) {
      return Fail(ErrorCode::kValidationException,
                  fmt::format("An encryption context of a grant constraint may have {} pairs.",
                              kContextPairsMax));
    }
    if (*pairs && std::any_of((*pairs)->begin(), (*pairs)->end(), [](const auto& pair) {
          return api::Utf8Length(pair.second) > kContextValueMax;
        })) {
      return Fail(ErrorCode::kValidationException,
                  fmt::format("A value of an encryption context of a grant constraint may have {} "
                              "characters.",
                              kContextValueMax));
    }
    if (*pairs && HasTwins(**pairs)) {
      return Fail(ErrorCode::kValidationException,
                  "The names in an encryption context of a grant constraint must differ in more "
                  "than case: they are compared without regard to it.");
    }
  }
  return {};
}

bool SameContent(const store::GrantRow& a, const store::GrantRow& b) {
  return a.name == b.name && a.grantee == b.grantee &&
         a.retiring_principal == b.retiring_principal && a.operations == b.operations &&
         a.issuing_account == b.issuing_account && a.context_equals == b.context_equals &&
         a.context_subset == b.context_subset;
}

// SameGrant finds a grant that a retry with a name means.
GrantPtr SameGrant(const Call& call, const store::GrantRow& wanted) {
  if (wanted.name.empty()) return nullptr;
  for (GrantPtr& grant : call.view.GrantsOf(wanted.region, wanted.key, wanted.grantee)) {
    if (SameContent(*grant, wanted)) return std::move(grant);
  }
  return nullptr;
}

std::string NewGrantId(RandomSource& random) {
  std::array<std::uint8_t, 32> bytes{};
  random.Fill(bytes);
  return HexEncode(bytes);
}

store::GrantRow RowOf(const Call& call, const api::CreateGrantRequest& request) {
  const keys::Key& key = call.key().key;
  store::GrantRow row;
  row.account = key.account;
  row.region = key.region;
  row.key = key.id;
  row.created = call.now;
  row.name = request.name.value_or("");
  row.grantee = request.grantee_principal;
  row.retiring_principal = request.retiring_principal.value_or("");
  row.issuing_account = call.account();
  for (const GrantOperation operation : request.operations) {
    if (std::find(row.operations.begin(), row.operations.end(), operation) ==
        row.operations.end()) {
      row.operations.push_back(operation);
    }
  }
  if (request.constraints) {
    row.context_equals = ToTags(request.constraints->encryption_context_equals);
    row.context_subset = ToTags(request.constraints->encryption_context_subset);
  }
  return row;
}

}  // namespace

template <>
Result<api::CreateGrantResponse> Handle<api::op::CreateGrant>(
    Call& call, const api::CreateGrantRequest& request) {
  const keys::Key& key = call.key().key;
  KT_TRY(keys::CheckState(key, keys::KeyOperation::kCreateGrant));
  KT_TRY(CheckGrantTokens(call, request.grant_tokens));
  KT_TRY(CheckOperations(key, request.operations));
  KT_TRY(CheckConstraints(key, request.constraints));
  KT_TRY(CheckGrantPrincipal(call, request.grantee_principal));
  if (request.retiring_principal) {
    KT_TRY(CheckGrantPrincipal(call, *request.retiring_principal));
  }
  store::GrantRow row = RowOf(call, request);
  GrantPtr grant = SameGrant(call, row);
  if (!grant &&
      call.txn->CountGrants(key.region, key.id) >= call.environment.quotas.grants_per_key) {
    return Fail(
        ErrorCode::kLimitExceededException,
        fmt::format("A KMS key may have {} grants.", call.environment.quotas.grants_per_key));
  }
  KT_TRY(CheckDryRun(request.dry_run));
  if (!grant) {
    row.id = NewGrantId(call.environment.random);
    grant = std::make_shared<const store::GrantRow>(std::move(row));
    call.txn->AddGrant(grant);
  }
  return api::CreateGrantResponse{.grant_token = MakeGrantToken(call, *grant),
                                  .grant_id = grant->id};
}

}  // namespace keyturn::service
