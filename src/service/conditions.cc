#include "service/conditions.h"

#include <algorithm>
#include <charconv>

#include "base/hex.h"
#include "service/call.h"

// Each switch takes a few of the keys; the rest are another's.
#pragma GCC diagnostic ignored "-Wswitch-enum"

namespace keyturn::service {
namespace {

using policy::Key;
using policy::Values;

// Above this number of aliases kms:ResourceAliases does not match (KMS Developer Guide).
constexpr std::size_t kResourceAliasesMax = 50;

void AddBool(bool value, Values& out) { out.emplace_back(value ? "true" : "false"); }

void AddTag(const std::vector<store::Tag>& tags, std::string_view name, Values& out) {
  for (const store::Tag& tag : tags) {
    if (policy::EqualsFolded(tag.key, name)) out.push_back(tag.value);
  }
}

}  // namespace

CallConditions::CallConditions(const Call& call, std::string_view action, const KeyEntry& entry,
                               std::string_view alias)
    : call_(call), action_(action), region_(entry.key.region), entry_(&entry), alias_(alias) {}

bool CallConditions::FindOfCaller(const policy::ConditionKey& key, Values& out) const {
  const Caller& caller = call_.caller;
  if (!caller.known()) return false;
  switch (key.key) {
    case Key::kAwsPrincipalArn:
      out.push_back(caller.principal_arn());
      return true;
    case Key::kAwsPrincipalAccount:
    case Key::kKmsCallerAccount:
      out.emplace_back(caller.account().text());
      return true;
    case Key::kAwsPrincipalType:
      out.emplace_back(caller.role ? "AssumedRole" : "User");
      return true;
    case Key::kAwsPrincipalIsAwsService:
    case Key::kAwsViaAwsService:
      AddBool(false, out);
      return true;
    case Key::kAwsUserId:
      out.push_back(caller.unique_id());
      return true;
    case Key::kAwsUsername:
      if (!caller.role) out.push_back(caller.user->row.name);
      return true;
    case Key::kAwsPrincipalTag:
      // A session's tag hides the role's of the same name.
      if (caller.session) AddTag(caller.session->tags, key.qualifier, out);
      if (out.empty())
        AddTag(caller.role ? caller.role->row.tags : caller.user->row.tags, key.qualifier, out);
      return true;
    case Key::kAwsMultiFactorAuthPresent:
      if (caller.session) AddBool(false, out);
      return true;
    case Key::kAwsTokenIssueTime:
      if (caller.session) out.push_back(FormatIso8601(caller.session->issued));
      return true;
    case Key::kAwsSourceIdentity:
      if (caller.session && !caller.session->source_identity.empty()) {
        out.push_back(caller.session->source_identity);
      }
      return true;
    default:
      return false;
  }
}

// FindOfRecipient: the registers that were attested, in lower-case hex. The image's digest is
// register 0. Source: KMS Developer Guide, "Condition keys for attested platforms".
void CallConditions::FindOfRecipient(std::string_view asked, Values& out) const {
  if (!call_.attested) return;
  constexpr std::string_view kImage = "imagesha384";
  constexpr std::string_view kPcr = "pcr";
  constexpr std::string_view kTpmPcr = "nitrotpmpcr";
  const auto& enclave = call_.attested->pcrs;
  const auto& tpm = call_.attested->nitro_tpm_pcrs;
  const auto add = [&](const auto& registers, std::string_view digits) {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc() || end != digits.data() + digits.size()) return;
    const auto found = registers.find(number);
    if (found != registers.end()) out.push_back(HexEncode(found->second));
  };
  if (asked == kImage) {
    add(enclave, "0");
  } else if (asked.starts_with(kPcr)) {
    add(enclave, asked.substr(kPcr.size()));
  } else if (asked.starts_with(kTpmPcr)) {
    add(tpm, asked.substr(kTpmPcr.size()));
  }
}

bool CallConditions::FindOfConnection(const policy::ConditionKey& key, Values& out) const {
  const Peer& peer = call_.caller.peer;
  switch (key.key) {
    case Key::kAwsCurrentTime:
      out.push_back(FormatIso8601Millis(call_.now));
      return true;
    case Key::kAwsEpochTime:
      out.push_back(std::to_string(ToEpochMillis(call_.now) / 1000));
      return true;
    case Key::kAwsRequestedRegion:
      out.emplace_back(region_.name());
      return true;
    case Key::kAwsSecureTransport:
      AddBool(peer.secure, out);
      return true;
    case Key::kAwsSourceIp:
      if (!peer.address.empty()) out.emplace_back(peer.address);
      return true;
    case Key::kAwsUserAgent:
      if (!peer.user_agent.empty()) out.emplace_back(peer.user_agent);
      return true;
    default:
      return false;
  }
}

void CallConditions::FindOfKey(const policy::ConditionKey& key, Values& out) const {
  const keys::Key& record = entry_->key;
  switch (key.key) {
    case Key::kAwsResourceAccount:
      out.emplace_back(record.account.text());
      break;
    case Key::kAwsResourceTag:
      AddTag(entry_->tags, key.qualifier, out);
      break;
    case Key::kKmsKeyOrigin:
      out.emplace_back(model::ToWire(record.origin));
      break;
    case Key::kKmsKeySpec:
      out.emplace_back(model::ToWire(record.spec));
      break;
    case Key::kKmsKeyUsage:
      out.emplace_back(model::ToWire(record.usage));
      break;
    case Key::kKmsMultiRegion:
      AddBool(record.multi_region, out);
      break;
    case Key::kKmsMultiRegionKeyType:
      if (record.multi_region) out.emplace_back(record.is_replica() ? "REPLICA" : "PRIMARY");
      break;
    case Key::kKmsTrailingDaysWithoutKeyUsage:
      // Source: KMS Developer Guide, "kms:TrailingDaysWithoutKeyUsage" (two operations have it).
      if (action_ == "kms:DisableKey" || action_ == "kms:ScheduleKeyDeletion") {
        const auto usage = entry_->materials->usage().Read();
        const TimePoint since =
            usage ? usage->date : std::max(record.creation_date, call_.environment.usage_since);
        out.push_back(std::to_string(std::max<std::int64_t>(
            0, std::chrono::duration_cast<Days>(call_.now - since).count())));
      }
      break;
    case Key::kKmsRequestAlias:
      if (!alias_.empty()) out.emplace_back(alias_);
      break;
    case Key::kKmsResourceAliases: {
      const auto rows = call_.view.AliasesOf(record.account, record.region, record.id);
      if (rows.size() > kResourceAliasesMax) break;
      for (const store::AliasRow& row : rows) out.push_back(row.name);
      break;
    }
    default:
      break;
  }
}

void CallConditions::Find(const policy::ConditionKey& key, Values& out) const {
  if (FindOfCaller(key, out) || FindOfConnection(key, out)) return;
  if (key.key == Key::kKmsReEncryptOnSameKey) {
    if (call_.reencrypt_on_same_key) AddBool(*call_.reencrypt_on_same_key, out);
    return;
  }
  if (key.key == Key::kKmsRecipientAttestation) {
    FindOfRecipient(key.qualifier, out);
    return;
  }
  const std::size_t before = out.size();
  if (entry_ != nullptr) FindOfKey(key, out);
  if (out.size() == before && call_.asked.find != nullptr) {
    call_.asked.find(call_.asked.request, action_, key, out);
  }
}

}  // namespace keyturn::service
