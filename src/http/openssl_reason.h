// OpenSslReason: why OpenSSL's last call on this thread failed, in words; its queue of errors is
// empty afterwards. Private to this room.
#pragma once

#include <string>

namespace keyturn::http {

std::string OpenSslReason();

}  // namespace keyturn::http
