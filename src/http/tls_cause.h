// TlsCause: the cause of a Client's kNetwork error when there is no connection that TLS vouches
// for: certificate, host name or version. Other failures of the network have no cause.
#pragma once

#include <string_view>

namespace keyturn::http {

inline constexpr std::string_view kTlsCause = "TLS";

}  // namespace keyturn::http
