#include "service/import_token.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace keyturn::service {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kHeaderBytes = 10;

// PurposeOf separates the tokens of every key and region, and these from other kinds.
std::string PurposeOf(const keys::Key& key) {
  return fmt::format("import|{}|{}|{}", key.account.text(), key.region.name(), key.id.text());
}

}  // namespace

Bytes SealImportToken(const Environment& environment, const keys::Key& key,
                      const ImportToken& token) {
  const ByteView secret = token.private_key.reveal();
  SecretBytes plain(kHeaderBytes + secret.size());
  const MutableByteView out = plain.reveal_mutable();
  out[0] = kVersion;
  out[1] = static_cast<std::uint8_t>(token.algorithm);
  const auto expires = static_cast<std::uint64_t>(ToEpochMillis(token.expires));
  for (std::size_t i = 0; i < 8; ++i) {
    out[2 + i] = static_cast<std::uint8_t>(expires >> (56 - 8 * i));
  }
  std::copy(secret.begin(), secret.end(), out.begin() + kHeaderBytes);
  return environment.keyring.SealToken(PurposeOf(key), plain.reveal(), environment.random);
}

Result<ImportToken> DecodeImportToken(ByteView bytes) {
  if (bytes.size() <= kHeaderBytes || bytes[0] != kVersion ||
      bytes[1] > static_cast<std::uint8_t>(crypto::WrappingAlgorithm::kSm2)) {
    return Fail(ErrorCode::kInvalidImportTokenException);
  }
  ImportToken token;
  token.algorithm = static_cast<crypto::WrappingAlgorithm>(bytes[1]);
  std::uint64_t expires = 0;
  for (std::size_t i = 0; i < 8; ++i) expires = expires << 8 | bytes[2 + i];
  token.expires = FromEpochMillis(static_cast<std::int64_t>(expires));
  token.private_key = SecretBytes::CopyOf(bytes.subspan(kHeaderBytes));
  return token;
}

Result<ImportToken> OpenImportToken(const Environment& environment, const keys::Key& key,
                                    ByteView sealed, TimePoint now) {
  const auto opened = environment.keyring.OpenToken(PurposeOf(key), sealed);
  if (!opened) return Fail(ErrorCode::kInvalidImportTokenException);
  KT_ASSIGN(ImportToken token, DecodeImportToken(opened->reveal()));
  if (token.expires <= now) return Fail(ErrorCode::kExpiredImportTokenException);
  return token;
}

}  // namespace keyturn::service
