// Call: one API call on its way through the service, and the services it may use.
//
// A handler is `template <> Result<Response> Handle<op::X>(Call&, const Request&)`, one file each
// in service/ops. It gets targets that are resolved and authorised already, and decides from
// call.view, which for operations that change state is the transaction itself (call.txn). A missing
// handler does not link.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/operation.h"
#include "base/error.h"
#include "base/random.h"
#include "base/time.h"
#include "crypto/attestation.h"
#include "policy/policy.h"
#include "service/conditions.h"
#include "service/entities.h"
#include "service/keyring.h"
#include "service/limits.h"
#include "service/outside.h"
#include "service/policy_pool.h"
#include "service/tables.h"
#include "service/writer.h"

namespace keyturn::service {

// Peer: how a request came. Views into the request.
struct Peer {
  std::string_view address;  // "127.0.0.1"
  std::string_view user_agent;
  bool secure = false;  // TLS
};

// Caller: the authenticated principal.
struct Caller {
  UserPtr user;
  AccessKeyPtr access_key;
  Peer peer = {};

  // identity: the policies of a user with those of its groups, when it is in any.
  std::vector<policy::PolicyPtr> identity = {};
  RolePtr role = {};
  SessionPtr session = {};  // temporary credentials: of role, or of user

  bool known() const { return user != nullptr || role != nullptr; }
  const model::AccountId& account() const { return role ? role->row.account : user->row.account; }
  // arn: of the user or of the role's session.
  const std::string& arn() const { return role ? session->arn : user->arn; }
  // principal_arn: of the user or of the role (aws:PrincipalArn).
  const std::string& principal_arn() const { return role ? role->arn : user->arn; }
  // unique_id: AIDA..., or AROA...:<session> (aws:userid).
  std::string unique_id() const;
  const std::string& access_key_id() const {
    return session ? session->access_key_id : access_key->row.id;
  }
  policy::Principal principal() const;
  policy::CallerPolicies policies() const;
  // VisitGranteeNames shows visit whom a grant may name to mean this caller, and how it then
  // counts, until it returns false.
  void VisitGranteeNames(
      const std::function<bool(std::string_view name, policy::Effect effect)>& visit) const;
};

// Environment: what all calls share. Thread-safe.
struct Environment {
  const Clock& clock;
  RandomSource& random;
  const Keyring& keyring;
  store::Store& store;
  Tables& tables;
  PolicyPool& policies;
  // How long Creating and Updating last at least; for tests of clients that must wait for them.
  Millis settle_delay = {};
  // usage_since: when the tracking of last uses began in this data directory.
  TimePoint usage_since = {};
  Quotas quotas = {};
  RequestLimiter* limiter = nullptr;                            // null: requests are not counted
  const crypto::AttestationRoots* attestation_roots = nullptr;  // null: no Recipient
  bool notifies = false;                                        // there is a webhook for events
  bool aws_managed_keys_on_first_use = false;
  // outside: null where nothing outside can be reached (tests).
  Outside* outside = nullptr;
};

struct OutsideWork;

// Target: a key (or alias) that a call acts on, authorised.
struct Target {
  KeyPtr key;
  std::optional<store::AliasRow> alias;  // as it was named; for CreateAlias, what would be made
};

struct Call {
  const Environment& environment;
  const Caller& caller;
  model::Region region;
  TimePoint now;
  const View& view;
  Txn* txn = nullptr;  // operations that change state only
  std::vector<Target> targets =
      {};  // ReEncrypt: source, destination; UpdateAlias: old key, new key

  const KeyEntry& key() const { return *targets.front().key; }
  const model::AccountId& account() const { return caller.account(); }

  // For conditions: the request, and for ReEncrypt whether both keys are one.
  Asked asked = {};
  std::optional<bool> reencrypt_on_same_key = {};

  // CreateKey: the bytes of the material where they were made ahead; see NewMaterial.
  const SecretBytes* ready_material = nullptr;

  // may_wait: the call is on a thread that may wait for what is outside. A handler that has to and
  // may not returns MustWait(), and is run again where it may.
  bool may_wait = false;
  mutable bool must_wait = false;
  tl::unexpected<Error> MustWait() const {
    must_wait = true;
    return Fail(ErrorCode::kInternal, {}, "the call needs a thread that may wait");
  }
  // What a proxy is told; only where may_wait is.
  std::string_view operation = {};
  std::string_view request_id = {};
  // outside_work: of a changing operation, what it did outside before its transaction.
  const OutsideWork* outside_work = nullptr;

  // For the trail: material ids that a cryptographic operation used.
  std::string key_material_id = {};
  std::string destination_key_material_id = {};
  std::string grant_id = {};  // that RetireGrant retired
  // Recipient, verified.
  std::optional<crypto::AttestationDocument> attested = {};
};

// Handle is specialised for every supported operation.
template <typename Operation>
Result<typename Operation::Response> Handle(Call& call, const typename Operation::Request& request);

// Prepare resolves and authorises the targets of a request: key lookup first, then authorisation,
// as AWS does. It fills call.targets.
template <typename Operation>
Status Prepare(Call& call, const typename Operation::Request& request);

}  // namespace keyturn::service
