#include "service/root_key.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <charconv>
#include <vector>

#include "base/hex.h"
#include "crypto/seal.h"
#include "service/files.h"

namespace keyturn::service {
namespace {

constexpr std::string_view kMagic = "keyturn-root-key";
constexpr std::string_view kSealName = "keyturn/v1/root-key";

std::vector<std::string_view> SplitWords(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t end = text.find_first_of(" \n");
    if (end != 0) words.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return words;
}

std::optional<std::uint64_t> ParseNumber(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

tl::unexpected<Error> NotARootKey(const std::filesystem::path& path) {
  return Fail(ErrorCode::kCorrupt, path.string() + " is not a root key file of this version");
}

Result<crypto::Key256> OpenSealed(const std::filesystem::path& path,
                                  const std::vector<std::string_view>& words,
                                  const SecretBytes& passphrase) {
  const auto n = ParseNumber(words[3]), r = ParseNumber(words[4]), p = ParseNumber(words[5]);
  const auto salt = HexDecode(words[6]), sealed = HexDecode(words[7]);
  if (!n || !r || !p || !salt || !sealed) return NotARootKey(path);
  KT_ASSIGN(const crypto::Key256 wrap,
            crypto::Scrypt(passphrase.reveal(), *salt, {.n = *n, .r = *r, .p = *p}));
  crypto::Key256 key;
  const auto opened = crypto::Open(wrap, AsBytes(kSealName), *sealed);
  if (!opened || opened->size() != key.size()) {
    return Fail(ErrorCode::kUsage, "the passphrase does not open " + path.string());
  }
  std::copy(opened->reveal().begin(), opened->reveal().end(), key.reveal_mutable().begin());
  return key;
}

}  // namespace

Result<crypto::Key256> CreateRootKey(const std::filesystem::path& directory,
                                     const std::optional<SecretBytes>& passphrase,
                                     RandomSource& random) {
  crypto::Key256 key;
  random.Fill(key.reveal_mutable());
  std::string line;
  if (passphrase) {
    const crypto::ScryptParameters parameters;
    std::array<std::uint8_t, 16> salt{};
    random.Fill(salt);
    KT_ASSIGN(const crypto::Key256 wrap, crypto::Scrypt(passphrase->reveal(), salt, parameters));
    line = fmt::format("{} v1 scrypt {} {} {} {} {}\n", kMagic, parameters.n, parameters.r,
                       parameters.p, HexEncode(salt),
                       HexEncode(crypto::Seal(wrap, AsBytes(kSealName), key.reveal(), random)));
  } else {
    line = fmt::format("{} v1 plain {}\n", kMagic, HexEncode(key.reveal()));
  }
  const Status written = WriteNewFile(directory / kRootKeyFile, line);
  WipeMemory(line.data(), line.size());
  if (!written) return Fail(written.error());
  return key;
}

Result<crypto::Key256> LoadRootKey(const std::filesystem::path& directory,
                                   const std::optional<SecretBytes>& passphrase) {
  const std::filesystem::path path = directory / kRootKeyFile;
  auto read = ReadSmallFile(path);
  if (!read) {
    if (read.error().code == ErrorCode::kNotFound) {
      return Fail(ErrorCode::kNotFound, "no root key in " + directory.string() +
                                            ": run `keyturn init --data-dir " + directory.string() +
                                            "` first");
    }
    return Fail(read.error());
  }
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || (info.st_mode & 077) != 0) {
    return Fail(ErrorCode::kUsage, path.string() + " can be read by others: chmod 600 it");
  }
  const auto words = SplitWords(AsText(read->reveal()));
  if (words.size() < 4 || words[0] != kMagic || words[1] != "v1") return NotARootKey(path);
  if (words[2] == "scrypt" && words.size() == 8) {
    if (!passphrase) {
      return Fail(ErrorCode::kUsage,
                  path.string() + " is sealed by a passphrase: give --passphrase-file");
    }
    return OpenSealed(path, words, *passphrase);
  }
  crypto::Key256 key;
  if (words[2] != "plain" || words.size() != 4 || !HexDecodeInto(words[3], key.reveal_mutable())) {
    return NotARootKey(path);
  }
  if (passphrase) {
    return Fail(ErrorCode::kUsage,
                path.string() + " has no passphrase: leave --passphrase-file out");
  }
  return key;
}

}  // namespace keyturn::service
