#include "console/assets.h"

#include <fmt/format.h>

#include <algorithm>

// The console's files: made by the build (console/embed.mjs), with one entry
// KEYTURN_ASSET(symbol, path, content type, ETag, immutable) each; the bytes are in assets.S.
#include "console_assets.inc"

namespace keyturn::console {
namespace {

#define KEYTURN_ASSET(symbol, path, type, etag, immutable) \
  extern "C" const char kt_##symbol##_bytes[];             \
  extern "C" const char kt_##symbol##_bytes_end[];         \
  extern "C" const char kt_##symbol##_gzip[];              \
  extern "C" const char kt_##symbol##_gzip_end[];          \
  extern "C" const char kt_##symbol##_brotli[];            \
  extern "C" const char kt_##symbol##_brotli_end[];
KEYTURN_CONSOLE_ASSETS
#undef KEYTURN_ASSET

std::string_view Range(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

#define KEYTURN_ASSET(symbol, path, type, etag, immutable)   \
  Asset{path,                                                \
        type,                                                \
        etag,                                                \
        immutable,                                           \
        Range(kt_##symbol##_bytes, kt_##symbol##_bytes_end), \
        Range(kt_##symbol##_gzip, kt_##symbol##_gzip_end),   \
        Range(kt_##symbol##_brotli, kt_##symbol##_brotli_end)},

constexpr std::string_view kPageHeaders =
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "X-Frame-Options: DENY\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Permissions-Policy: camera=(), geolocation=(), microphone=()\r\n";

// Accepts: Accept-Encoding names the coding, and not with q=0.
bool Accepts(std::string_view header, std::string_view coding) {
  while (!header.empty()) {
    const std::size_t end = std::min(header.find(','), header.size());
    std::string_view item = header.substr(0, end);
    header.remove_prefix(std::min(end + 1, header.size()));
    while (!item.empty() && item.front() == ' ') item.remove_prefix(1);
    const std::size_t name_end = std::min(item.find_first_of("; "), item.size());
    if (item.substr(0, name_end) != coding) continue;
    const std::size_t q = item.find("q=");
    return q == std::string_view::npos ||
           item.substr(q + 2).find_first_of("123456789") != std::string_view::npos;
  }
  return false;
}

void ReplyPlain(http::Exchange& exchange, std::string_view status, std::string_view extra,
                std::string_view body) {
  exchange.Reply(fmt::format("HTTP/1.1 {}\r\nContent-Type: text/plain; charset=utf-8\r\n"
                             "Cache-Control: no-store\r\n{}{}Content-Length: {}\r\n\r\n",
                             status, kPageHeaders, extra, body.size()),
                 body);
}

void ReplyAsset(http::Exchange& exchange, const Asset& asset) {
  const http::RequestView& request = exchange.request();
  const std::string_view accepted = request.Header("accept-encoding");
  std::string_view body = asset.bytes;
  std::string_view coding;
  if (!asset.brotli.empty() && Accepts(accepted, "br")) {
    body = asset.brotli;
    coding = "br";
  } else if (!asset.gzip.empty() && Accepts(accepted, "gzip")) {
    body = asset.gzip;
    coding = "gzip";
  }
  // Each form is an entity of its own, so its tag is, too.
  std::string etag(asset.etag.substr(0, asset.etag.size() - 1));
  if (!coding.empty()) etag.append("-").append(coding);
  etag += '"';
  std::string head = fmt::format(
      "Cache-Control: {}\r\nETag: {}\r\nVary: Accept-Encoding\r\n{}",
      asset.immutable ? "public, max-age=31536000, immutable" : "no-cache", etag, kPageHeaders);
  if (request.Header("if-none-match") == etag) {
    exchange.Reply("HTTP/1.1 304 Not Modified\r\n" + head + "\r\n", {});
    return;
  }
  if (!coding.empty()) head += fmt::format("Content-Encoding: {}\r\n", coding);
  exchange.Reply(fmt::format("HTTP/1.1 200 OK\r\n{}Content-Type: {}\r\nContent-Length: {}\r\n\r\n",
                             head, asset.content_type, body.size()),
                 body);
}

}  // namespace

std::span<const Asset> Assets() {
  static const Asset kAssets[] = {KEYTURN_CONSOLE_ASSETS};
  return kAssets;
}
#undef KEYTURN_ASSET

void ServeAsset(http::Exchange& exchange) {
  const http::RequestView& request = exchange.request();
  if (request.method != "GET" && request.method != "HEAD") {
    ReplyPlain(exchange, "405 Method Not Allowed", "Allow: GET, HEAD\r\n", "method not allowed\n");
    return;
  }
  std::string_view path = request.path;
  if (path == "/" || path == "/console") {
    ReplyPlain(exchange, "302 Found", "Location: /console/\r\n", "the console is at /console/\n");
    return;
  }
  if (path == "/console/") path = "/console/index.html";
  const auto assets = Assets();
  const auto found = std::ranges::find(assets, path, &Asset::path);
  if (found == assets.end()) {
    ReplyPlain(exchange, "404 Not Found", "", "not found\n");
    return;
  }
  ReplyAsset(exchange, *found);
}

}  // namespace keyturn::console
