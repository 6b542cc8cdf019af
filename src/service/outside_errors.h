// OutsideErrors: what a failure outside means to the caller of each kind of operation.
//
// Thread-safety: free functions. Source: AWS KMS External Key Store Proxy API Specification, "Error
// codes" (exceptions and their texts); KMS Developer Guide, "Troubleshooting custom key stores".
#pragma once

#include "base/error.h"
#include "hsm/protocol.h"
#include "model/enums.h"
#include "model/external_keys.h"

namespace keyturn::service {

// Of a cryptographic operation.
Error UseError(model::ProxyFailure failure);
Error UseError(hsm::Outcome outcome);
// Of CreateKey.
Error CreateKeyError(model::ProxyFailure failure);
Error CreateKeyError(hsm::Outcome outcome);
// Of CreateCustomKeyStore and UpdateCustomKeyStore; for a token ConnectCustomKeyStore too, before
// it logs in.
Error ManageError(model::ProxyFailure failure);
Error ManageError(hsm::Outcome outcome);

// ConnectionError: what DescribeCustomKeyStores shows of a connection that failed.
model::ConnectionErrorCodeType ConnectionError(model::ProxyFailure failure);
model::ConnectionErrorCodeType ConnectionError(hsm::Outcome outcome);

// IsTokenAbsent: module or token are not there or cannot do what is needed: connecting is refused,
// as AWS does for a cluster that is not active.
bool IsTokenAbsent(hsm::Outcome outcome);

}  // namespace keyturn::service
