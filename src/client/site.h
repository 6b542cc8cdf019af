// Site: signed requests to a service of AWS beside KMS. Private to this room.
//
// Thread-safety: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/sources.h"

namespace keyturn::client {

// SiteRequest is a POST of body to the service's endpoint; unsigned without a caller. kUsage when
// the site has no endpoint.
Result<http::ClientRequest> SiteRequest(
    const ServiceSite& site, std::string_view service, const sigv4::Credentials* caller,
    const std::vector<std::pair<std::string_view, std::string_view>>& headers, std::string body,
    TimePoint now);

}  // namespace keyturn::client
