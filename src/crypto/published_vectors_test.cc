// Every primitive of key pairs and MACs against vectors that others have published: NIST's CAVP
// (ECDSA, RSA, ECDH, AES key wrap), RSA Laboratories' and pyca's for OAEP, Wycheproof's for PSS,
// pyca's for secp256k1, Bernstein's for Ed25519, RFC 4231 for HMAC, GB/T 32918.5 for SM2.
//
// Debian's python3-cryptography-vectors brings the files (scripts/debian-packages.txt);
// KEYTURN_VECTORS names another place. A file that is missing is a failure.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <string>

#include "base/hex.h"
#include "crypto/asymmetric.h"
#include "crypto/wrapping.h"

namespace keyturn::crypto {
namespace {

std::string PathOf(const std::string& name) {
  if (name.starts_with('/')) return name;
  const char* root = std::getenv("KEYTURN_VECTORS");
  return (root != nullptr ? std::string(root)
                          : "/usr/lib/python3/dist-packages/cryptography_vectors") +
         "/" + name;
}

Bytes Unhex(std::string text) {
  if (text.size() % 2 == 1) text.insert(0, "0");
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c; });
  return HexDecode(text).value();
}

// Fields: the names and values of a test case, and those that hold for the cases after it.
using Fields = std::map<std::string, std::string>;

// ForEachCase reads a file of "name = value" lines and calls visit when last has come. section is
// the last line in brackets.
void ForEachCase(const std::string& name, const std::string& last,
                 const std::function<void(const std::string& section, const Fields&)>& visit) {
  std::ifstream file(PathOf(name));
  ASSERT_TRUE(file) << PathOf(name) << ": install python3-cryptography-vectors";
  std::string section;
  Fields fields;
  for (std::string line; std::getline(file, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (line.starts_with('[')) section = line;
    if (line == "FAIL") {  // NIST's, in place of the last field
      fields[last] = line;
      visit(section, fields);
    }
    const std::size_t equals = line.find(" = ");
    if (line.starts_with('#') || equals == std::string::npos) continue;
    fields[line.substr(0, equals)] = line.substr(equals + 3);
    if (line.substr(0, equals) == last) visit(section, fields);
  }
}

// DER, by hand.
Bytes Join(std::initializer_list<Bytes> parts) {
  Bytes out;
  for (const Bytes& part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}
Bytes Tlv(std::uint8_t tag, const Bytes& content) {
  Bytes out = {tag};
  if (content.size() >= 256) {
    out.insert(out.end(), {0x82, static_cast<std::uint8_t>(content.size() >> 8)});
  } else if (content.size() >= 128) {
    out.push_back(0x81);
  }
  out.push_back(static_cast<std::uint8_t>(content.size()));
  return Join({out, content});
}
Bytes Integer(Bytes number) {
  const auto first =
      std::find_if(number.begin(), number.end(), [](auto byte) { return byte != 0; });
  number.erase(number.begin(), first);
  if (number.empty() || number.front() >= 0x80) number.insert(number.begin(), 0);
  return Tlv(0x02, number);
}
Bytes Sequence(std::initializer_list<Bytes> parts) { return Tlv(0x30, Join(parts)); }
// Padded makes number size bytes long; some files have more zeros in front than that.
Bytes Padded(Bytes number, std::size_t size) {
  while (number.size() > size && number.front() == 0) number.erase(number.begin());
  Bytes out(size > number.size() ? size - number.size() : 0, 0);
  return Join({out, number});
}

struct Curve {
  KeyType type;
  std::size_t bytes;
  const char* oid;
};
const Curve kP256 = {KeyType::kP256, 32, "06082a8648ce3d030107"};
const Curve kP384 = {KeyType::kP384, 48, "06052b81040022"};
const Curve kP521 = {KeyType::kP521, 66, "06052b81040023"};
const Curve kK256 = {KeyType::kSecp256k1, 32, "06052b8104000a"};
const Curve kSm2 = {KeyType::kSm2, 32, "06082a811ccf5501822d"};

Bytes CurveOf(const Curve& curve) {
  return Sequence({Unhex("06072a8648ce3d0201"), Unhex(curve.oid)});
}
Bytes Spki(const Curve& curve, const Bytes& x, const Bytes& y) {
  return Sequence(
      {CurveOf(curve),
       Tlv(0x03, Join({{0x00, 0x04}, Padded(x, curve.bytes), Padded(y, curve.bytes)}))});
}
Bytes Pkcs8(const Curve& curve, const Bytes& d) {
  return Sequence({Unhex("020100"), CurveOf(curve),
                   Tlv(0x04, Sequence({Unhex("020101"), Tlv(0x04, Padded(d, curve.bytes))}))});
}
Bytes RsaSpki(const Bytes& n, const Bytes& e) {
  return Sequence({Unhex("300d06092a864886f70d0101010500"),
                   Tlv(0x03, Join({{0x00}, Sequence({Integer(n), Integer(e)})}))});
}
Bytes Pair(const Bytes& r, const Bytes& s) { return Sequence({Integer(r), Integer(s)}); }

void CheckEcdsa(const std::string& file, const std::string& last, const std::string& wanted,
                const Curve& curve, Hash hash, int at_least) {
  int count = 0;
  ForEachCase(file, last, [&](const std::string& section, const Fields& fields) {
    if (section != wanted) return;
    const auto result = fields.find("Result");
    const bool valid = result == fields.end() || result->second.starts_with("P");
    const auto key = AsymmetricKey::FromSpki(
        curve.type, Spki(curve, Unhex(fields.at("Qx")), Unhex(fields.at("Qy"))));
    const bool verified =
        key && key->Verify(SignatureScheme::kEcdsa, hash, Digest(hash, Unhex(fields.at("Msg"))),
                           Pair(Unhex(fields.at("R")), Unhex(fields.at("S"))));
    EXPECT_EQ(verified, valid) << section << " " << fields.at("R");
    ++count;
  });
  EXPECT_GE(count, at_least);
}

TEST(PublishedVectors, Ecdsa) {
  const std::string file = "asymmetric/ECDSA/FIPS_186-3/SigVer.rsp";
  CheckEcdsa(file, "Result", "[P-256,SHA-256]", kP256, Hash::kSha256, 15);
  CheckEcdsa(file, "Result", "[P-384,SHA-384]", kP384, Hash::kSha384, 15);
  CheckEcdsa(file, "Result", "[P-521,SHA-512]", kP521, Hash::kSha512, 15);
  CheckEcdsa("asymmetric/ECDSA/SECP256K1/SigGen.txt", "S", "[K-256,SHA-256]", kK256, Hash::kSha256,
             10);
}

void CheckRsa(const std::string& file, SignatureScheme scheme, int at_least) {
  const std::map<std::string, KeyType> kTypes = {{"[mod = 2048]", KeyType::kRsa2048},
                                                 {"[mod = 3072]", KeyType::kRsa3072},
                                                 {"[mod = 4096]", KeyType::kRsa4096}};
  const std::map<std::string, Hash> kHashes = {
      {"SHA256", Hash::kSha256}, {"SHA384", Hash::kSha384}, {"SHA512", Hash::kSha512}};
  int count = 0;
  ForEachCase(file, "Result", [&](const std::string& section, const Fields& fields) {
    const auto type = kTypes.find(section);
    const auto hash = kHashes.find(fields.at("SHAAlg"));
    if (type == kTypes.end() || hash == kHashes.end()) return;
    const auto key = AsymmetricKey::FromSpki(type->second,
                                             RsaSpki(Unhex(fields.at("n")), Unhex(fields.at("e"))));
    ASSERT_TRUE(key);
    const bool verified = key->Verify(
        scheme, hash->second, Digest(hash->second, Unhex(fields.at("Msg"))), Unhex(fields.at("S")));
    // The salts of NIST's PSS cases have 10 bytes. Ours are as long as the digest, as AWS's are:
    // every one of these signatures must be refused.
    const bool valid = scheme != SignatureScheme::kRsaPss && fields.at("Result").starts_with("P");
    EXPECT_EQ(verified, valid) << section << " " << fields.at("S").substr(0, 32);
    ++count;
  });
  EXPECT_GE(count, at_least);
}

TEST(PublishedVectors, RsaPkcs1) {
  CheckRsa("asymmetric/RSA/FIPS_186-2/SigVer15_186-3.rsp", SignatureScheme::kRsaPkcs1, 150);
}

TEST(PublishedVectors, RsaPssWithOtherSaltsIsRefused) {
  CheckRsa("asymmetric/RSA/FIPS_186-2/SigVerPSS_186-3.rsp", SignatureScheme::kRsaPss, 150);
}

TEST(PublishedVectors, RsaPss) {
  int count = 0;
  ForEachCase(KEYTURN_SOURCE_DIR "/tests/data/vectors/rsa_pss_wycheproof.txt", "Result",
              [&](const std::string& /*section*/, const Fields& fields) {
                const std::string& name = fields.at("SHAAlg");
                const Hash hash = name == "SHA256"   ? Hash::kSha256
                                  : name == "SHA384" ? Hash::kSha384
                                                     : Hash::kSha512;
                const Bytes n = Unhex(fields.at("n"));
                const auto key =
                    AsymmetricKey::FromSpki(n.size() == 256 ? KeyType::kRsa2048 : KeyType::kRsa4096,
                                            RsaSpki(n, Unhex(fields.at("e"))));
                ASSERT_TRUE(key);
                EXPECT_EQ(key->Verify(SignatureScheme::kRsaPss, hash,
                                      Digest(hash, Unhex(fields.at("Msg"))), Unhex(fields.at("S"))),
                          fields.at("Result") == "P")
                    << name << " " << fields.at("TcId");
                ++count;
              });
  EXPECT_EQ(count, 12);
}

// The AES part of RSA_AES_KEY_WRAP, reached through it.
TEST(PublishedVectors, AesKeyWrapWithPadding) {
  const WrappingKeyPair pair = NewWrappingKeyPair(WrappingKeyKind::kRsa2048);
  const auto public_key = AsymmetricKey::FromSpki(KeyType::kRsa2048, pair.public_key);
  ASSERT_TRUE(public_key);
  int opened = 0;
  int refused = 0;
  ForEachCase("keywrap/kwtestvectors/KWP_AD_256.txt", "P",
              [&](const std::string& /*section*/, const Fields& fields) {
                Bytes wrapped = public_key->EncryptOaep(Hash::kSha256, Unhex(fields.at("K")));
                const Bytes ciphertext = Unhex(fields.at("C"));
                wrapped.insert(wrapped.end(), ciphertext.begin(), ciphertext.end());
                const auto plaintext = Unwrap(pair.private_key.reveal(),
                                              WrappingAlgorithm::kRsaAesKeyWrapSha256, wrapped);
                if (fields.at("P") == "FAIL") {
                  EXPECT_FALSE(plaintext) << fields.at("C");
                  ++refused;
                } else {
                  ASSERT_TRUE(plaintext) << fields.at("C");
                  EXPECT_EQ(HexEncode(plaintext->reveal()), fields.at("P"));
                  ++opened;
                }
              });
  EXPECT_EQ(opened, 400);
  EXPECT_EQ(refused, 100);
}

// ForEachOaepCase reads a file of "# Name:" lines, each followed by lines of hex, and calls visit
// with the key pair, when it is one of ours, and each ciphertext.
void ForEachOaepCase(const std::string& name,
                     const std::function<void(const AsymmetricKey&, const Fields&)>& visit) {
  std::ifstream file(PathOf(name));
  ASSERT_TRUE(file) << PathOf(name) << ": install python3-cryptography-vectors";
  Fields fields;
  std::string field;
  const auto end_case = [&] {
    if (field != "Encryption") return;
    const auto number = [&](const char* of) { return Integer(Unhex(fields.at(of))); };
    // The public exponent is an "Exponent" too, which the private one has overwritten.
    const Bytes key =
        Sequence({Unhex("020100"), number("Modulus"), number("Public exponent"), number("Exponent"),
                  number("Prime 1"), number("Prime 2"), number("Prime exponent 1"),
                  number("Prime exponent 2"), number("Coefficient")});
    const auto pair = AsymmetricKey::FromPkcs8(
        KeyType::kRsa2048,
        Sequence({Unhex("020100"), Unhex("300d06092a864886f70d0101010500"), Tlv(0x04, key)}));
    if (pair) visit(*pair, fields);
  };
  for (std::string line; std::getline(file, line);) {
    line.erase(std::remove_if(line.begin(), line.end(), [](char c) { return c == '\r'; }),
               line.end());
    if (line.starts_with("#")) {
      end_case();
      field = line.substr(std::min<std::size_t>(line.size(), 2));
      field = field.substr(0, field.find(':'));
      fields[field].clear();
    } else if (!field.empty()) {
      std::remove_copy(line.begin(), line.end(), std::back_inserter(fields[field]), ' ');
    }
  }
  end_case();
}

void CheckOaep(const std::string& file, Hash hash, Hash other, int expected) {
  int count = 0;
  ForEachOaepCase(file, [&](const AsymmetricKey& key, const Fields& fields) {
    Bytes ciphertext = Unhex(fields.at("Encryption"));
    const auto plaintext = key.DecryptOaep(hash, ciphertext);
    ASSERT_TRUE(plaintext) << fields.at("Encryption");
    EXPECT_EQ(HexEncode(plaintext->reveal()), HexEncode(Unhex(fields.at("Message"))));
    EXPECT_FALSE(key.DecryptOaep(other, ciphertext));
    ciphertext[static_cast<std::size_t>(count) % ciphertext.size()] ^= 1;
    EXPECT_FALSE(key.DecryptOaep(hash, ciphertext));
    ++count;
  });
  EXPECT_EQ(count, expected) << file;
}

TEST(PublishedVectors, RsaOaep) {
  // Its other keys have sizes that AWS does not.
  CheckOaep("asymmetric/RSA/pkcs-1v2-1d2-vec/oaep-vect.txt", Hash::kSha1, Hash::kSha256, 6);
  CheckOaep("asymmetric/RSA/oaep-custom/oaep-sha256-sha256.txt", Hash::kSha256, Hash::kSha1, 60);
}

TEST(PublishedVectors, Ecdh) {
  const std::map<std::string, const Curve*> kCurves = {
      {"[EC - SHA256]", &kP256}, {"[ED - SHA384]", &kP384}, {"[EE - SHA512]", &kP521}};
  int count = 0;
  ForEachCase("asymmetric/ECDH/KASValidityTest_ECCStaticUnified_NOKC_ZZOnly_init.fax", "Result",
              [&](const std::string& section, const Fields& fields) {
                const auto curve = kCurves.find(section);
                if (curve == kCurves.end()) return;
                const Curve& on = *curve->second;
                const auto own =
                    AsymmetricKey::FromPkcs8(on.type, Pkcs8(on, Unhex(fields.at("dsIUT"))));
                ASSERT_TRUE(own);
                const auto peer = AsymmetricKey::FromSpki(
                    on.type, Spki(on, Unhex(fields.at("QsCAVSx")), Unhex(fields.at("QsCAVSy"))));
                bool agreed = false;
                if (peer) {
                  const auto secret = own->SharedSecret(*peer);
                  const Bytes expected = Padded(Unhex(fields.at("Z")), on.bytes);
                  agreed = secret && std::equal(expected.begin(), expected.end(),
                                                secret->reveal().begin(), secret->reveal().end());
                }
                // Cases that fail for what is not ECDH (their own key, or the hash of Z) agree
                // here.
                if (fields.at("Result").starts_with("P")) {
                  EXPECT_TRUE(agreed) << section << fields.at("Z");
                } else if (fields.at("Result").find("CAVS's Static") != std::string::npos) {
                  EXPECT_FALSE(peer) << section << " a point that is not on the curve";
                }
                ++count;
              });
  EXPECT_GE(count, 60);
}

TEST(PublishedVectors, Ed25519) {
  std::ifstream file(PathOf("asymmetric/Ed25519/sign.input"));
  ASSERT_TRUE(file) << PathOf("asymmetric/Ed25519/sign.input")
                    << ": install python3-cryptography-vectors";
  constexpr std::size_t kSeedHex = 64;
  constexpr std::size_t kSignatureHex = 128;
  int count = 0;
  for (std::string line; std::getline(file, line);) {
    std::vector<std::string> fields;
    for (std::size_t at = 0; at < line.size();) {
      const std::size_t colon = std::min(line.find(':', at), line.size());
      fields.push_back(line.substr(at, colon - at));
      at = colon + 1;
    }
    ASSERT_GE(fields.size(), 4U);
    const auto key = AsymmetricKey::FromPkcs8(
        KeyType::kEd25519,
        Join({Unhex("302e020100300506032b657004220420"), Unhex(fields[0].substr(0, kSeedHex))}));
    ASSERT_TRUE(key);
    const Bytes message = Unhex(fields[2]);
    const std::string signature = fields[3].substr(0, kSignatureHex);
    EXPECT_EQ(HexEncode(key->Sign(SignatureScheme::kEd25519, Hash::kSha512, message)), signature);
    const auto half = AsymmetricKey::FromSpki(
        KeyType::kEd25519, Join({Unhex("302a300506032b6570032100"), Unhex(fields[1])}));
    ASSERT_TRUE(half);
    Bytes bytes = Unhex(signature);
    EXPECT_TRUE(half->Verify(SignatureScheme::kEd25519, Hash::kSha512, message, bytes));
    bytes[static_cast<std::size_t>(count) % bytes.size()] ^= 1;
    EXPECT_FALSE(half->Verify(SignatureScheme::kEd25519, Hash::kSha512, message, bytes));
    ++count;
  }
  EXPECT_EQ(count, 1024);
}

TEST(PublishedVectors, Hmac) {
  const std::pair<const char*, Hash> kFiles[] = {{"HMAC/rfc-4231-sha224.txt", Hash::kSha224},
                                                 {"HMAC/rfc-4231-sha256.txt", Hash::kSha256},
                                                 {"HMAC/rfc-4231-sha384.txt", Hash::kSha384},
                                                 {"HMAC/rfc-4231-sha512.txt", Hash::kSha512}};
  for (const auto& [file, hash] : kFiles) {
    int count = 0;
    ForEachCase(file, "MD", [&, hash = hash](const std::string&, const Fields& fields) {
      const Bytes mac = Hmac(hash, Unhex(fields.at("Key")), Unhex(fields.at("Msg")));
      EXPECT_EQ(mac, Unhex(fields.at("MD")));
      ++count;
    });
    EXPECT_GE(count, 5) << file;
  }
}

// GB/T 32918.5-2017, annexes A and C.
TEST(PublishedVectors, Sm2) {
  const Bytes d = Unhex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8");
  const auto half = AsymmetricKey::FromSpki(
      KeyType::kSm2,
      Spki(kSm2, Unhex("09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"),
           Unhex("ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13")));
  ASSERT_TRUE(half);
  const Bytes signature =
      Pair(Unhex("f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"),
           Unhex("b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"));
  const ByteView message = AsBytes("message digest");
  EXPECT_TRUE(half->Verify(SignatureScheme::kSm2, Hash::kSha256, message, signature));
  EXPECT_FALSE(half->Verify(SignatureScheme::kSm2, Hash::kSha256, AsBytes("digest"), signature));
  const auto key = AsymmetricKey::FromPkcs8(KeyType::kSm2, Pkcs8(kSm2, d));
  ASSERT_TRUE(key);
  const Bytes ciphertext = Sequence(
      {Integer(Unhex("04ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73")),
       Integer(Unhex("e858f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df0")),
       Tlv(0x04, Unhex("59983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766")),
       Tlv(0x04, Unhex("21886ca989ca9c7d58087307ca93092d651efa"))});
  const auto plaintext = key->DecryptSm2(ciphertext);
  ASSERT_TRUE(plaintext);
  EXPECT_EQ(AsText(plaintext->reveal()), "encryption standard");
}

}  // namespace
}  // namespace keyturn::crypto
