#include "client/site.h"

namespace keyturn::client {

Result<http::ClientRequest> SiteRequest(
    const ServiceSite& site, std::string_view service, const sigv4::Credentials* caller,
    const std::vector<std::pair<std::string_view, std::string_view>>& headers, std::string body,
    TimePoint now) {
  KT_ASSIGN(const Endpoint endpoint, site.endpoint_url.empty()
                                         ? Endpoint::Aws(site.region, service, site.variant)
                                         : Endpoint::Parse(site.endpoint_url));
  http::ClientRequest request;
  request.url = endpoint.url;
  request.body = std::move(body);
  request.ca_bundle_file = site.ca_bundle_file;
  request.headers = {{"Host", endpoint.host}};
  for (const auto& [name, value] : headers) request.headers.emplace_back(name, value);
  if (caller == nullptr) return request;
  std::vector<sigv4::Header> to_sign;
  for (const auto& [name, value] : request.headers) to_sign.push_back({name, value});
  const auto signature = sigv4::Sign({.method = "POST",
                                      .path = endpoint.path,
                                      .query = {},
                                      .headers = to_sign,
                                      .body = AsBytes(request.body)},
                                     *caller, site.region, service, now);
  request.headers.emplace_back("X-Amz-Date", signature.amz_date);
  if (!caller->session_token.empty()) {
    request.headers.emplace_back("X-Amz-Security-Token", caller->session_token);
  }
  request.headers.emplace_back("Authorization", signature.authorization);
  return request;
}

}  // namespace keyturn::client
