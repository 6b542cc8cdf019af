#include "crypto/attestation.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <utility>

#include "base/check.h"
#include "crypto/cbor.h"
#include "crypto/ecdsa_raw.h"
#include "crypto/openssl_pointer.h"

namespace keyturn::crypto {
namespace {

using Type = CborValue::Type;

using Certificate = std::unique_ptr<X509, Deleter<&X509_free>>;
using Store = std::unique_ptr<X509_STORE, Deleter<&X509_STORE_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, Deleter<&X509_STORE_CTX_free>>;
using Memory = std::unique_ptr<BIO, Deleter<&BIO_free>>;
struct FreeStack {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_pop_free(stack, X509_free); }
};
using Stack = std::unique_ptr<STACK_OF(X509), FreeStack>;

// Bounds of the document's members. Source: Nitro Enclaves user guide.
constexpr std::size_t kCertificateBytesMax = 1024;
constexpr std::size_t kBundleMax = 16;
constexpr std::size_t kPublicKeyBytesMax = 1024;
constexpr std::size_t kPcrsMax = 32;
constexpr std::size_t kSignatureBytes = 96;
constexpr std::uint64_t kCoseSign1Tag = 18;
constexpr std::uint64_t kAlgorithmLabel = 1;
constexpr std::uint64_t kEs384 = 34;  // -35, as -1 - n
constexpr std::size_t kRootsMax = 64;

tl::unexpected<Error> Wrong(const char* what) {
  ERR_clear_error();
  return Fail(ErrorCode::kMalformed, what);
}

bool IsBytes(const CborValue* value, std::size_t min, std::size_t max) {
  return value != nullptr && value->Is(Type::kBytes) && value->bytes.size() >= min &&
         value->bytes.size() <= max;
}

Bytes CopyOf(ByteView bytes) { return {bytes.begin(), bytes.end()}; }

// ReadPcrs: the registers by number, each a SHA-256, SHA-384 or SHA-512.
Status ReadPcrs(const CborValue& map, std::map<std::uint32_t, Bytes>& pcrs) {
  if (!map.Is(Type::kMap) || map.items.empty() || map.items.size() > 2 * kPcrsMax) {
    return Wrong("the registers are no map of 1 to 32 entries");
  }
  for (std::size_t i = 0; i + 1 < map.items.size(); i += 2) {
    const CborValue& index = map.items[i];
    const CborValue& value = map.items[i + 1];
    const std::size_t size = value.bytes.size();
    if (!index.Is(Type::kUnsigned) || index.number >= kPcrsMax || !value.Is(Type::kBytes) ||
        (size != 32 && size != 48 && size != 64)) {
      return Wrong("a register is out of range");
    }
    pcrs[static_cast<std::uint32_t>(index.number)] = CopyOf(value.bytes);
  }
  return {};
}

Status ReadPayload(const CborValue& payload, SignedDocument& document) {
  AttestationDocument& content = document.content;
  const CborValue* const module_id = payload.Find("module_id");
  const CborValue* const digest = payload.Find("digest");
  const CborValue* const timestamp = payload.Find("timestamp");
  if (module_id == nullptr || !module_id->Is(Type::kText) || module_id->bytes.empty() ||
      digest == nullptr || !digest->Is(Type::kText) || AsText(digest->bytes) != "SHA384" ||
      timestamp == nullptr || !timestamp->Is(Type::kUnsigned) || timestamp->number == 0 ||
      timestamp->number > static_cast<std::uint64_t>(INT64_MAX / 1'000'000)) {
    return Wrong("module_id, digest or timestamp is missing or wrong");
  }
  content.module_id = AsText(module_id->bytes);
  content.timestamp = FromEpochMillis(static_cast<std::int64_t>(timestamp->number));
  const CborValue* const enclave = payload.Find("pcrs");
  const CborValue* const tpm = payload.Find("nitrotpm_pcrs");
  if ((enclave == nullptr) == (tpm == nullptr)) return Wrong("one of the kinds of registers");
  KT_TRY(enclave != nullptr ? ReadPcrs(*enclave, content.pcrs)
                            : ReadPcrs(*tpm, content.nitro_tpm_pcrs));
  const CborValue* const certificate = payload.Find("certificate");
  const CborValue* const bundle = payload.Find("cabundle");
  if (!IsBytes(certificate, 1, kCertificateBytesMax) || bundle == nullptr ||
      !bundle->Is(Type::kArray) || bundle->items.empty() || bundle->items.size() > kBundleMax) {
    return Wrong("certificate or cabundle is missing or wrong");
  }
  document.certificate = CopyOf(certificate->bytes);
  for (const CborValue& each : bundle->items) {
    if (!IsBytes(&each, 1, kCertificateBytesMax)) return Wrong("cabundle has a wrong entry");
    document.bundle.push_back(CopyOf(each.bytes));
  }
  const CborValue* const public_key = payload.Find("public_key");
  if (public_key != nullptr && !public_key->Is(Type::kNull)) {
    if (!IsBytes(public_key, 1, kPublicKeyBytesMax)) return Wrong("public_key is wrong");
    content.public_key = CopyOf(public_key->bytes);
  }
  return {};
}

Certificate FromDer(ByteView der) {
  const unsigned char* at = der.data();
  Certificate certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (certificate && at != der.data() + der.size()) certificate.reset();
  return certificate;
}

// SignedBytes is the Sig_structure that COSE_Sign1 signs.
Bytes SignedBytes(const SignedDocument& document) {
  constexpr std::string_view kContext = "Signature1";
  Bytes out;
  const auto add = [&](std::uint8_t major, ByteView bytes) {
    AppendCborHead(major, bytes.size(), out);
    out.insert(out.end(), bytes.begin(), bytes.end());
  };
  AppendCborHead(4, 4, out);
  add(3, AsBytes(kContext));
  add(2, document.protected_header);
  add(2, {});
  add(2, document.payload);
  return out;
}

}  // namespace

Result<SignedDocument> ReadAttestationDocument(ByteView document) {
  KT_ASSIGN(const CborValue outer, ParseCbor(document));
  const bool tagged = outer.Is(Type::kTag) && outer.number == kCoseSign1Tag;
  const CborValue& sign1 = tagged ? outer.items.front() : outer;
  if (!sign1.Is(Type::kArray) || sign1.items.size() != 4 || !sign1.items[0].Is(Type::kBytes) ||
      !sign1.items[1].Is(Type::kMap) || !sign1.items[2].Is(Type::kBytes) ||
      !IsBytes(&sign1.items[3], kSignatureBytes, kSignatureBytes)) {
    return Wrong("not a COSE_Sign1 with an ES384 signature");
  }
  SignedDocument read;
  read.protected_header = sign1.items[0].bytes;
  read.payload = sign1.items[2].bytes;
  read.signature = sign1.items[3].bytes;
  KT_ASSIGN(const CborValue header, ParseCbor(read.protected_header));
  const CborValue* const algorithm = header.Find(kAlgorithmLabel);
  if (algorithm == nullptr || !algorithm->Is(Type::kNegative) || algorithm->number != kEs384) {
    return Wrong("not signed with ES384");
  }
  KT_ASSIGN(const CborValue payload, ParseCbor(read.payload));
  KT_TRY(ReadPayload(payload, read));
  return read;
}

void AttestationRoots::Free::operator()(x509_store_st* store) const { X509_STORE_free(store); }

Result<AttestationRoots> AttestationRoots::FromPem(std::string_view pem) {
  const Memory memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::unique_ptr<x509_store_st, Free> store(X509_STORE_new());
  KT_CHECK(memory && store);
  std::size_t count = 0;
  for (;;) {
    const Certificate root(PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr));
    if (!root) break;
    if (++count > kRootsMax || X509_STORE_add_cert(store.get(), root.get()) != 1) {
      return Wrong("too many certificates, or one that cannot be a root");
    }
  }
  // The end of the text is an error to PEM_read_bio too; any other one is ours.
  const unsigned long reason = ERR_peek_last_error();
  const bool end =
      ERR_GET_LIB(reason) == ERR_LIB_PEM && ERR_GET_REASON(reason) == PEM_R_NO_START_LINE;
  if (count == 0 || !end) return Wrong("no PEM certificate, or a broken one");
  ERR_clear_error();
  return AttestationRoots(std::move(store));
}

Result<AttestationDocument> AttestationRoots::Verify(ByteView document, TimePoint now) const {
  KT_ASSIGN(SignedDocument read, ReadAttestationDocument(document));
  const Certificate leaf = FromDer(read.certificate);
  const Stack bundle(sk_X509_new_null());
  KT_CHECK(bundle != nullptr);
  for (const Bytes& der : read.bundle) {
    Certificate certificate = FromDer(der);
    if (!certificate) return Wrong("cabundle has an entry that is no certificate");
    KT_CHECK(sk_X509_push(bundle.get(), certificate.get()) > 0);
    (void)certificate.release();
  }
  if (!leaf) return Wrong("certificate is no certificate");
  const StoreContext context(X509_STORE_CTX_new());
  KT_CHECK(context != nullptr);
  KT_CHECK(X509_STORE_CTX_init(context.get(), store_.get(), leaf.get(), bundle.get()) == 1);
  X509_VERIFY_PARAM* const parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(parameters, static_cast<time_t>(ToEpochMillis(now) / 1000));
  if (X509_verify_cert(context.get()) != 1) {
    return Wrong(X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get())));
  }
  EVP_PKEY* const key = X509_get0_pubkey(leaf.get());
  if (key == nullptr || !VerifyRawEcdsa384(*key, SignedBytes(read), read.signature)) {
    return Wrong("the signature is not the certificate's");
  }
  ERR_clear_error();
  return std::move(read.content);
}

}  // namespace keyturn::crypto
