#include "service/markers.h"

#include <array>

#include "base/base64.h"
#include "crypto/digest.h"

namespace keyturn::service {
namespace {

constexpr std::size_t kTagBytes = 16;

std::array<std::uint8_t, kTagBytes> Tag(const Call& call, std::string_view scope,
                                        std::string_view last) {
  static constexpr std::array<std::uint8_t, 1> kZero = {0};
  const crypto::Key256 key = call.environment.keyring.MarkerKey();
  const ByteView parts[] = {AsBytes(call.account().text()),
                            kZero,
                            AsBytes(call.region.name()),
                            kZero,
                            AsBytes(scope),
                            kZero,
                            AsBytes(last)};
  const crypto::Sha256Digest mac = crypto::HmacSha256Parts(key.reveal(), parts);
  std::array<std::uint8_t, kTagBytes> tag{};
  std::copy_n(mac.begin(), tag.size(), tag.begin());
  return tag;
}

}  // namespace

std::string MakeMarker(const Call& call, std::string_view scope, std::string_view last) {
  const auto tag = Tag(call, scope, last);
  Bytes bytes(tag.begin(), tag.end());
  bytes.insert(bytes.end(), last.begin(), last.end());
  return Base64Encode(bytes);
}

Result<Page> ReadPage(const Call& call, std::string_view scope,
                      const std::optional<std::string>& marker,
                      const std::optional<std::int32_t>& limit, std::size_t limit_default) {
  Page page;
  page.limit = limit ? static_cast<std::size_t>(*limit) : limit_default;
  if (!marker) return page;
  const auto bytes = Base64Decode(*marker);
  if (!bytes || bytes->size() <= kTagBytes) return Fail(ErrorCode::kInvalidMarkerException);
  page.after = AsText(ByteView(*bytes).subspan(kTagBytes));
  if (!crypto::ConstantTimeEquals(Tag(call, scope, page.after),
                                  ByteView(*bytes).first(kTagBytes))) {
    return Fail(ErrorCode::kInvalidMarkerException);
  }
  return page;
}

}  // namespace keyturn::service
