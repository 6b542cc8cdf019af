#include "service/outside_errors.h"

#include <string>

#include "base/check.h"

namespace keyturn::service {
namespace {

using hsm::Outcome;
using model::ConnectionErrorCodeType;
using model::ProxyFailure;

// What a failure of a proxy is in each place, and its text, which is the same in all.
struct Row {
  ProxyFailure failure;
  ErrorCode manage;
  ErrorCode create_key;
  ConnectionErrorCodeType connection;
  const char* message;
};

constexpr const char kCannotInterpret[] =
    "AWS KMS cannot interpret the response from the external key store proxy. If you see this "
    "error repeatedly, report it to your external key store proxy administrator.";

constexpr ErrorCode kNoResponse = ErrorCode::kXksProxyInvalidResponseException;
constexpr ErrorCode kUnreachable = ErrorCode::kXksProxyUriUnreachableException;
constexpr ErrorCode kStore = ErrorCode::kCustomKeyStoreInvalidStateException;
constexpr ErrorCode kKey = ErrorCode::kXksKeyInvalidConfigurationException;

constexpr Row kRows[] = {
    {ProxyFailure::kValidation, kNoResponse, kStore,
     ConnectionErrorCodeType::kXksProxyInvalidResponse, kCannotInterpret},
    {ProxyFailure::kInvalidState, kNoResponse, kKey,
     ConnectionErrorCodeType::kXksProxyInvalidConfiguration,
     "The external key associated with this KMS key in an external key store is not enabled in the "
     "external key manager. Enable the external key in the external key manager and retry the "
     "request."},
    {ProxyFailure::kInvalidCiphertext, kNoResponse, kStore,
     ConnectionErrorCodeType::kXksProxyInvalidResponse,
     "The external key store proxy rejected the request because the specified ciphertext or "
     "encryption context is corrupted, missing, or otherwise invalid."},
    {ProxyFailure::kInvalidKeyUsage, kNoResponse, kKey,
     ConnectionErrorCodeType::kXksProxyInvalidResponse,
     "The external key associated with this KMS key in an external key store does not support the "
     "requested operation. Enable the operation on the key in your external key manager, and try "
     "the request again."},
    {ProxyFailure::kAuthenticationFailed,
     ErrorCode::kXksProxyIncorrectAuthenticationCredentialException, kStore,
     ConnectionErrorCodeType::kXksProxyAccessDenied,
     "The external key store proxy rejected the request because it could not authenticate AWS KMS. "
     "Verify the XKS proxy authentication credentials for your external key store and update if "
     "necessary."},
    {ProxyFailure::kAccessDenied, ErrorCode::kXksProxyIncorrectAuthenticationCredentialException,
     ErrorCode::kKMSInvalidStateException, ConnectionErrorCodeType::kXksProxyAccessDenied,
     "The external key store proxy denied access to the operation. Verify that the user and the "
     "external key are both authorized for this operation, and try the request again."},
    {ProxyFailure::kKeyNotFound, kNoResponse, ErrorCode::kXksKeyNotFoundException,
     ConnectionErrorCodeType::kXksProxyInvalidResponse,
     "The external key associated with this KMS key in an external key store was not found in its "
     "external key manager. If the external key ID associated with this KMS key is incorrect, "
     "create a new KMS key with the correct external key ID."},
    {ProxyFailure::kInvalidUriPath, ErrorCode::kXksProxyInvalidConfigurationException, kStore,
     ConnectionErrorCodeType::kXksProxyInvalidConfiguration,
     "The external key store proxy rejected the request because of an invalid URI path. Verify the "
     "URI path for your external key store and update if necessary."},
    {ProxyFailure::kUnsupported, kNoResponse, kKey,
     ConnectionErrorCodeType::kXksProxyInvalidConfiguration,
     "The external key store proxy rejected the request because it does not support the requested "
     "operation. If you see this error repeatedly, report it to your external key store proxy "
     "administrator."},
    {ProxyFailure::kDependencyTimeout, kUnreachable, kStore,
     ConnectionErrorCodeType::kXksProxyTimedOut,
     "The external key store proxy did not respond to the request in the time allotted. Retry the "
     "request. If you see this error repeatedly, report it to your external key store proxy "
     "administrator."},
    {ProxyFailure::kThrottled, kUnreachable, kStore, ConnectionErrorCodeType::kXksProxyNotReachable,
     "The external key store proxy rejected the request due to a very high request rate. Reduce "
     "the frequency of your calls using KMS keys in this external key store."},
    {ProxyFailure::kInternal, kNoResponse, kStore,
     ConnectionErrorCodeType::kXksProxyInvalidResponse,
     "The external key store proxy rejected the request because it cannot communicate with the "
     "external key manager. Verify that the external key store proxy configuration is correct and "
     "that the external key manager is available."},
    {ProxyFailure::kInvalidResponse, kNoResponse, kStore,
     ConnectionErrorCodeType::kXksProxyInvalidResponse, kCannotInterpret},
    {ProxyFailure::kUnreachable, kUnreachable, kStore,
     ConnectionErrorCodeType::kXksProxyNotReachable,
     "AWS KMS cannot communicate with the external key store proxy. This might be a transient "
     "network issue. If you see this error repeatedly, verify that your external key store proxy "
     "is active and is connected to the network, and that its endpoint URI is correct in your "
     "external key store."},
    {ProxyFailure::kTls, kUnreachable, kStore,
     ConnectionErrorCodeType::kXksProxyInvalidTlsConfiguration,
     "AWS KMS cannot establish a TLS connection to the external key store proxy. Verify the TLS "
     "configuration, including its certificate."},
    {ProxyFailure::kTimeout, kUnreachable, kStore, ConnectionErrorCodeType::kXksProxyTimedOut,
     "AWS KMS rejected the request because the external key store proxy did not respond in time. "
     "Retry the request. If you see this error repeatedly, report it to your external key store "
     "proxy administrator."},
};

const Row& RowOf(ProxyFailure failure) {
  for (const Row& row : kRows) {
    if (row.failure == failure) return row;
  }
  KT_CHECK(false);
}

// Passing: failures that a caller may simply try again.
bool IsPassing(Outcome outcome, Error& error) {
  if (outcome == Outcome::kCrashed || outcome == Outcome::kFailed) {
    error = {ErrorCode::kKMSInternalException, {}, hsm::OutcomeName(outcome)};
  } else if (outcome == Outcome::kTimedOut) {
    error = {ErrorCode::kDependencyTimeoutException,
             "The token did not answer in time. You can retry the request.",
             hsm::OutcomeName(outcome)};
  } else if (outcome == Outcome::kBusy) {
    error = {ErrorCode::kKMSInternalException, {}, hsm::OutcomeName(outcome)};
  } else {
    return false;
  }
  return true;
}

std::string Sentence(const char* begin, Outcome outcome) {
  return std::string(begin) + ": " + hsm::OutcomeName(outcome) + ".";
}

}  // namespace

Error UseError(ProxyFailure failure) {
  return {ErrorCode::kKMSInvalidStateException, RowOf(failure).message, {}};
}

Error CreateKeyError(ProxyFailure failure) {
  return {RowOf(failure).create_key, RowOf(failure).message, {}};
}

Error ManageError(ProxyFailure failure) {
  return {RowOf(failure).manage, RowOf(failure).message, {}};
}

ConnectionErrorCodeType ConnectionError(ProxyFailure failure) { return RowOf(failure).connection; }

Error UseError(Outcome outcome) {
  Error error;
  if (outcome == Outcome::kBadCiphertext) return {ErrorCode::kInvalidCiphertextException, {}, {}};
  // A key that others wait for comes back: the SDKs try this one again.
  if (outcome == Outcome::kBusy) {
    return {ErrorCode::kKeyUnavailableException,
            "The request was rejected because the specified KMS key was not available. You can "
            "retry the request.",
            hsm::OutcomeName(outcome)};
  }
  if (IsPassing(outcome, error)) return error;
  return {ErrorCode::kKMSInvalidStateException,
          Sentence("The key cannot be used in its custom key store", outcome),
          {}};
}

Error CreateKeyError(Outcome outcome) {
  Error error;
  if (IsPassing(outcome, error)) return error;
  if (outcome == Outcome::kNoMechanism) return ManageError(outcome);
  return {ErrorCode::kCustomKeyStoreInvalidStateException,
          Sentence("The key cannot be made in the custom key store", outcome),
          {}};
}

Error ManageError(Outcome outcome) {
  Error error;
  if (outcome == Outcome::kNoMechanism) {
    return {ErrorCode::kCloudHsmClusterInvalidConfigurationException,
            Sentence("The cluster cannot be used", outcome),
            {}};
  }
  if (outcome == Outcome::kNoModule || outcome == Outcome::kNoToken) {
    return {ErrorCode::kCloudHsmClusterNotActiveException,
            Sentence("The cluster is not active", outcome),
            {}};
  }
  if (IsPassing(outcome, error)) {
    return {ErrorCode::kKMSInternalException, {}, hsm::OutcomeName(outcome)};
  }
  return {ErrorCode::kCloudHsmClusterInvalidConfigurationException,
          Sentence("The cluster cannot be used", outcome),
          {}};
}

bool IsTokenAbsent(Outcome outcome) {
  return outcome == Outcome::kNoModule || outcome == Outcome::kNoToken ||
         outcome == Outcome::kNoMechanism;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wswitch-enum"  // the others have no code of their own
ConnectionErrorCodeType ConnectionError(Outcome outcome) {
  switch (outcome) {
    case Outcome::kPinIncorrect:
      return ConnectionErrorCodeType::kInvalidCredentials;
    case Outcome::kPinLocked:
      return ConnectionErrorCodeType::kUserLockedOut;
    case Outcome::kNoUser:
      return ConnectionErrorCodeType::kUserNotFound;
    case Outcome::kNoModule:
    case Outcome::kNoToken:
    case Outcome::kNotNamed:
      return ConnectionErrorCodeType::kClusterNotFound;
    case Outcome::kTimedOut:
      return ConnectionErrorCodeType::kNetworkErrors;
    default:
      return ConnectionErrorCodeType::kInternalError;
  }
}
#pragma GCC diagnostic pop

}  // namespace keyturn::service
