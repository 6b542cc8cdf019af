// Error and Result: how every room reports failure. Nothing of ours throws.
//
// An Error has a code from a closed list, a message for the caller (what AWS would print; may be
// empty, several AWS errors have no text) and a cause for logs only (never sent to a client, never
// a secret). The first part of ErrorCode is AWS's list of names, one enumerator for each, so that a
// handler returns the wire error itself; api/errors.h maps a code to wire name, HTTP status and
// retryability. The second part is for what happens beside the wire.
//
// Source: the KMS API model of 2014-11-01 (modelled exceptions) and the errors common to AWS JSON
// services.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace keyturn {

enum class ErrorCode : std::uint8_t {
  // --- AWS wire errors, in alphabetical order -------------------------------------------------
  kAccessDeniedException,
  kAlreadyExistsException,
  kCloudHsmClusterInUseException,
  kCloudHsmClusterInvalidConfigurationException,
  kCloudHsmClusterNotActiveException,
  kCloudHsmClusterNotFoundException,
  kCloudHsmClusterNotRelatedException,
  kConflictException,
  kCustomKeyStoreHasCMKsException,
  kCustomKeyStoreInvalidStateException,
  kCustomKeyStoreNameInUseException,
  kCustomKeyStoreNotFoundException,
  kDependencyTimeoutException,
  kDisabledException,
  kDryRunOperationException,
  kExpiredImportTokenException,
  kExpiredTokenException,
  kIncompleteSignatureException,
  kIncorrectKeyException,
  kIncorrectKeyMaterialException,
  kIncorrectTrustAnchorException,
  kInvalidAliasNameException,
  kInvalidArnException,
  kInvalidCiphertextException,
  kInvalidGrantIdException,
  kInvalidGrantTokenException,
  kInvalidImportTokenException,
  kInvalidKeyUsageException,
  kInvalidMarkerException,
  kInvalidSignatureException,
  kKMSInternalException,
  kKMSInvalidMacException,
  kKMSInvalidSignatureException,
  kKMSInvalidStateException,
  kKeyUnavailableException,
  kLimitExceededException,
  kMalformedPolicyDocumentException,
  kMissingAuthenticationTokenException,
  kNotAuthorizedException,
  kNotFoundException,
  kSerializationException,
  kServiceUnavailableException,
  kTagException,
  kThrottlingException,
  kUnknownOperationException,
  kUnrecognizedClientException,
  kUnsupportedOperationException,
  kValidationException,
  kXksKeyAlreadyInUseException,
  kXksKeyInvalidConfigurationException,
  kXksKeyNotFoundException,
  kXksProxyIncorrectAuthenticationCredentialException,
  kXksProxyInvalidConfigurationException,
  kXksProxyInvalidResponseException,
  kXksProxyUriEndpointInUseException,
  kXksProxyUriInUseException,
  kXksProxyUriUnreachableException,
  kXksProxyVpcEndpointServiceInUseException,
  kXksProxyVpcEndpointServiceInvalidConfigurationException,
  kXksProxyVpcEndpointServiceNotFoundException,

  // --- Ours, never on the wire under these names ----------------------------------------------
  kUsage,        // wrong command line, configuration or input file; the message names the place
  kNotFound,     // a file, row or record that is not there
  kConflict,     // compare-and-set lost, or a thing exists already
  kCorrupt,      // stored bytes are not what was written: checksum, tag, schema or chain is wrong
  kNewerFormat,  // written by a newer version; this one must not touch it
  kLocked,       // another process holds the data directory
  kNoSpace,      // disk full
  kReadOnly,     // directory or file cannot be written
  kIo,           // any other failure of the operating system
  kNetwork,      // no answer from the peer: refused, reset, TLS or name failure
  kTimeout,      // no answer in time
  kCancelled,    // the caller asked to stop
  kMalformed,    // bytes from outside that do not parse; the message says where
  kUnknownWireError,  // the peer answered with an error name that we do not know (kept in message)
  kInternal,          // a defect of ours, found at run time
};

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;  // for the caller
  std::string cause;    // for logs
};

template <typename T>
using Result = tl::expected<T, Error>;

using Status = Result<void>;

// Fail makes the error branch of any Result: `return Fail(ErrorCode::kIo, "cannot read x");`
inline tl::unexpected<Error> Fail(ErrorCode code, std::string message = {},
                                  std::string cause = {}) {
  return tl::unexpected<Error>(Error{code, std::move(message), std::move(cause)});
}

inline tl::unexpected<Error> Fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

// ErrorCodeName returns the enumerator without its k: "NotFoundException", "NoSpace". The AWS part
// is exactly the wire name.
const char* ErrorCodeName(ErrorCode code);

}  // namespace keyturn

// KT_TRY(expr): for a Result whose value is not needed; returns the error from the calling
// function.
#define KT_TRY(expr)                                            \
  do {                                                          \
    if (auto kt_try_result = (expr); !kt_try_result) {          \
      return ::keyturn::Fail(std::move(kt_try_result).error()); \
    }                                                           \
  } while (false)

#define KT_CONCAT_INNER(a, b) a##b
#define KT_CONCAT(a, b) KT_CONCAT_INNER(a, b)

// KT_ASSIGN(lhs, expr): `KT_ASSIGN(auto key, FindKey(id));` declares or assigns lhs from the value,
// or returns the error from the calling function.
#define KT_ASSIGN(lhs, expr) KT_ASSIGN_INNER(KT_CONCAT(kt_assign_, __LINE__), lhs, expr)
#define KT_ASSIGN_INNER(tmp, lhs, expr)             \
  auto tmp = (expr);                                \
  if (!tmp) {                                       \
    return ::keyturn::Fail(std::move(tmp).error()); \
  }                                                 \
  lhs = std::move(*tmp)
