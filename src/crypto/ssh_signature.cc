#include "crypto/ssh_signature.h"

#include <algorithm>
#include <array>

#include "base/base64.h"
#include "crypto/digest.h"
#include "crypto/ssh_wire.h"

namespace keyturn::crypto {
namespace {

constexpr std::string_view kKeyBegin = "-----BEGIN OPENSSH PRIVATE KEY-----";
constexpr std::string_view kKeyEnd = "-----END OPENSSH PRIVATE KEY-----";
constexpr std::string_view kSignatureBegin = "-----BEGIN SSH SIGNATURE-----";
constexpr std::string_view kSignatureEnd = "-----END SSH SIGNATURE-----";
constexpr std::string_view kKeyMagic{"openssh-key-v1\0", 15};
constexpr std::string_view kSignatureMagic = "SSHSIG";
constexpr std::string_view kEd25519 = "ssh-ed25519";
constexpr std::size_t kFileBytesMax = 16384;
constexpr std::size_t kArmorWidth = 70;

// DER of an Ed25519 key around its 32 bytes (RFC 8410).
constexpr std::array<std::uint8_t, 16> kPkcs8Prefix = {
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};
constexpr std::array<std::uint8_t, 12> kSpkiPrefix = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                                      0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

// Armored finds what stands between two lines; nullopt unless both are there.
std::optional<std::string_view> Armored(std::string_view text, std::string_view begin,
                                        std::string_view end) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || text.substr(first, begin.size()) != begin) {
    return std::nullopt;
  }
  const std::size_t start = first + begin.size();
  const std::size_t stop = text.find(end, start);
  if (stop == std::string_view::npos) return std::nullopt;
  if (text.find_first_not_of(" \t\r\n", stop + end.size()) != std::string_view::npos) {
    return std::nullopt;
  }
  return text.substr(start, stop - start);
}

// DecodeLines decodes base64 with line breaks in it; the copies are wiped.
std::optional<SecretBytes> DecodeLines(std::string_view lines) {
  SecretBytes compact(lines.size());
  std::size_t size = 0;
  for (const char c : lines) {
    if (c == '\n' || c == '\r') continue;
    compact.reveal_mutable()[size++] = static_cast<std::uint8_t>(c);
  }
  const std::string_view text = AsText(compact.reveal().first(size));
  const auto decoded_size = Base64DecodedSize(text);
  if (!decoded_size) return std::nullopt;
  SecretBytes decoded(*decoded_size);
  if (!Base64DecodeInto(text, decoded.reveal_mutable())) return std::nullopt;
  return decoded;
}

tl::unexpected<Error> NoKey(std::string_view what) {
  return Fail(ErrorCode::kUsage, "no usable OpenSSH private key: " + std::string(what));
}
tl::unexpected<Error> NoSignature(std::string_view what) {
  return Fail(ErrorCode::kUsage, "no SSH signature: " + std::string(what));
}

// PublicHalf reads the 32 bytes of an Ed25519 key out of its blob.
std::optional<ByteView> PublicHalf(ByteView blob) {
  WireReader reader(blob);
  if (!reader.StringIs(kEd25519)) return std::nullopt;
  const auto key = reader.String();
  if (!key || key->size() != 32 || !reader.rest().empty()) return std::nullopt;
  return key;
}

std::string TypeOf(ByteView blob) {
  const auto type = WireReader(blob).String();
  return type && type->size() <= 64 ? std::string(AsText(*type)) : std::string("of no known type");
}

// SignedData is what Ed25519 signs: never the message itself.
Bytes SignedData(ByteView message, std::string_view name_space, std::string_view hash) {
  Bytes data(kSignatureMagic.begin(), kSignatureMagic.end());
  WireString(name_space, data);
  WireString(std::string_view(), data);
  WireString(hash, data);
  WireString(ByteView(Digest(hash == "sha256" ? Hash::kSha256 : Hash::kSha512, message)), data);
  return data;
}

bool HasPadding(ByteView rest) {
  if (rest.size() >= 8) return false;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] != i + 1) return false;
  }
  return true;
}

// PrivateSection: what the key file holds in clear when it has no passphrase.
struct PrivateSection {
  ByteView public_half;
  ByteView seed;
};
std::optional<PrivateSection> ReadPrivateSection(ByteView section) {
  WireReader reader(section);
  const auto check = reader.Uint32();
  const auto again = reader.Uint32();
  if (!check || check != again || !reader.StringIs(kEd25519)) return std::nullopt;
  const auto public_half = reader.String();
  const auto private_half = reader.String();
  const auto comment = reader.String();
  if (!public_half || !private_half || !comment || !HasPadding(reader.rest())) return std::nullopt;
  if (public_half->size() != 32 || private_half->size() != 64) return std::nullopt;
  if (!std::equal(public_half->begin(), public_half->end(), private_half->begin() + 32)) {
    return std::nullopt;
  }
  return PrivateSection{*public_half, private_half->first(32)};
}

}  // namespace

Result<SshSigner> SshSigner::FromPrivateKey(ByteView file) {
  if (file.size() > kFileBytesMax) return NoKey("the file is too large");
  const auto armored = Armored(AsText(file), kKeyBegin, kKeyEnd);
  if (!armored) {
    return NoKey("the file is not in OpenSSH's own form; make a key with ssh-keygen -t ed25519");
  }
  const auto decoded = DecodeLines(*armored);
  if (!decoded) return NoKey("its base64 is broken");
  WireReader reader(decoded->reveal());
  const auto magic = reader.Take(kKeyMagic.size());
  if (!magic || AsText(*magic) != kKeyMagic) return NoKey("the file is of another format");
  const auto cipher = reader.String();
  const auto kdf = reader.String();
  const auto options = reader.String();
  const auto count = reader.Uint32();
  const auto public_blob = reader.String();
  if (!cipher || !kdf || !options || !count || !public_blob) return NoKey("the file is cut short");
  if (AsText(*cipher) != "none" || AsText(*kdf) != "none") {
    return NoKey(
        "it is protected by a passphrase, which is not asked for here; sign the manifest with "
        "ssh-keygen -Y sign afterwards, or give a key without one");
  }
  if (*count != 1) return NoKey("the file does not hold exactly one key");
  const auto public_half = PublicHalf(*public_blob);
  if (!public_half) {
    return NoKey("it is a key " + TypeOf(*public_blob) + "; only ssh-ed25519 is taken");
  }
  const auto section = reader.String();
  const auto parsed = section ? ReadPrivateSection(*section) : std::nullopt;
  if (!parsed || !reader.rest().empty() ||
      !std::equal(public_half->begin(), public_half->end(), parsed->public_half.begin())) {
    return NoKey("the file is damaged");
  }
  SecretBytes der(kPkcs8Prefix.size() + parsed->seed.size());
  std::copy(kPkcs8Prefix.begin(), kPkcs8Prefix.end(), der.reveal_mutable().begin());
  std::copy(parsed->seed.begin(), parsed->seed.end(),
            der.reveal_mutable().begin() + kPkcs8Prefix.size());
  auto key = AsymmetricKey::FromPkcs8(KeyType::kEd25519, der.reveal());
  if (!key) return NoKey("the file is damaged");
  const Bytes spki = key->Spki();
  if (!std::equal(public_half->begin(), public_half->end(), spki.begin() + kSpkiPrefix.size(),
                  spki.end())) {
    return NoKey("its public and private halves do not belong together");
  }
  return SshSigner(*std::move(key), Bytes(public_blob->begin(), public_blob->end()));
}

std::string SshSigner::Sign(ByteView message, std::string_view name_space) const {
  constexpr std::string_view kHash = "sha512";
  const Bytes raw =
      key_.Sign(SignatureScheme::kEd25519, Hash::kSha512, SignedData(message, name_space, kHash));
  Bytes signature;
  WireString(kEd25519, signature);
  WireString(ByteView(raw), signature);
  Bytes blob(kSignatureMagic.begin(), kSignatureMagic.end());
  WireUint32(1, blob);
  WireString(ByteView(public_blob_), blob);
  WireString(name_space, blob);
  WireString(std::string_view(), blob);
  WireString(kHash, blob);
  WireString(ByteView(signature), blob);
  const std::string text = Base64Encode(blob);
  std::string out(kSignatureBegin);
  out += '\n';
  for (std::size_t at = 0; at < text.size(); at += kArmorWidth) {
    out += text.substr(at, kArmorWidth) + '\n';
  }
  return out.append(kSignatureEnd).append("\n");
}

std::string SshSigner::PublicKey() const {
  return std::string(kEd25519) + " " + Base64Encode(public_blob_);
}

Result<SshSignature> SshSignature::Parse(std::string_view armored) {
  if (armored.size() > kFileBytesMax) return NoSignature("the file is too large");
  const auto lines = Armored(armored, kSignatureBegin, kSignatureEnd);
  const auto decoded = lines ? DecodeLines(*lines) : std::nullopt;
  if (!decoded) return NoSignature("the text is not armored as ssh-keygen does it");
  WireReader reader(decoded->reveal());
  const auto magic = reader.Take(kSignatureMagic.size());
  if (!magic || AsText(*magic) != kSignatureMagic) return NoSignature("it is of another format");
  const auto version = reader.Uint32();
  if (!version || *version != 1) return NoSignature("its version is not known");
  const auto public_blob = reader.String();
  const auto name_space = reader.String();
  const auto reserved = reader.String();
  const auto hash = reader.String();
  const auto wrapped = reader.String();
  if (!public_blob || !name_space || !reserved || !hash || !wrapped || !reader.rest().empty()) {
    return NoSignature("it is damaged");
  }
  if (!PublicHalf(*public_blob)) {
    return NoSignature("it is by a key " + TypeOf(*public_blob) +
                       "; only ssh-ed25519 is understood here: ssh-keygen -Y verify checks it");
  }
  SshSignature parsed;
  parsed.hash = AsText(*hash);
  if (parsed.hash != "sha256" && parsed.hash != "sha512") return NoSignature("its hash is unknown");
  WireReader inner(*wrapped);
  const bool named = inner.StringIs(kEd25519);
  const auto raw = inner.String();
  if (!named || !raw || raw->size() != 64 || !inner.rest().empty()) {
    return NoSignature("it is damaged");
  }
  parsed.public_blob.assign(public_blob->begin(), public_blob->end());
  parsed.name_space = AsText(*name_space);
  parsed.signature.assign(raw->begin(), raw->end());
  return parsed;
}

bool SshSignature::Verify(ByteView message, std::string_view expected) const {
  const auto half = PublicHalf(public_blob);
  if (!half || name_space != expected) return false;
  Bytes spki(kSpkiPrefix.begin(), kSpkiPrefix.end());
  spki.insert(spki.end(), half->begin(), half->end());
  const auto key = AsymmetricKey::FromSpki(KeyType::kEd25519, spki);
  return key && key->Verify(SignatureScheme::kEd25519, Hash::kSha512,
                            SignedData(message, name_space, hash), signature);
}

std::string SshSignature::Fingerprint() const {
  std::string text = Base64Encode(Sha256(public_blob));
  while (text.ends_with('=')) text.pop_back();
  return "SHA256:" + text;
}

}  // namespace keyturn::crypto
