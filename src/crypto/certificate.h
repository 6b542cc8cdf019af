// Certificate: X.509 certificates as PEM text. Thread-safe.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/error.h"

namespace keyturn::crypto {

// CertificateDer: the one certificate that pem is; kMalformed when it is none, or has anything but
// blank space after it.
Result<Bytes> CertificateDer(std::string_view pem);

}  // namespace keyturn::crypto
