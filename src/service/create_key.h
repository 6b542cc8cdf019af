// CreateKey's core, for customer keys and for the AWS managed ones that `keyturn admin` makes.
#pragma once

#include "service/call.h"

namespace keyturn::service {

// AddKey stages key (not stored yet) with its first material, and returns what will be there. A key
// of origin EXTERNAL has none yet: it is PendingImport. One of origin AWS_CLOUDHSM never has any
// here. ready as for NewMaterial.
keys::Key AddKey(Txn& txn, const Environment& environment, keys::Key key,
                 std::shared_ptr<const KeyPolicy> policy, std::vector<store::Tag> tags,
                 TimePoint now, const SecretBytes* ready = nullptr);

// AddAwsManagedKey stages the key of alias/aws/<service> with its alias and yearly rotation.
// kAlreadyExistsException when the alias exists; kValidationException for another kind of name.
Result<keys::Key> AddAwsManagedKey(Txn& txn, const Environment& environment,
                                   const model::AccountId& account, model::Region region,
                                   const std::string& alias, TimePoint now);

}  // namespace keyturn::service
