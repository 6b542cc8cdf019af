#include "http/openssl_reason.h"

#include <openssl/err.h>

#include <array>

namespace keyturn::http {

std::string OpenSslReason() {
  const unsigned long code = ERR_peek_last_error();
  std::array<char, 256> text{};
  ERR_error_string_n(code, text.data(), text.size());
  const char* reason = ERR_reason_error_string(code);
  ERR_clear_error();
  return reason != nullptr ? reason : text.data();
}

}  // namespace keyturn::http
