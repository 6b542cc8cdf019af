// Keys, signatures, and both sides of a signed request.
#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/hex.h"
#include "crypto/digest.h"
#include "sigv4/canonical.h"
#include "sigv4/signer.h"
#include "sigv4/sigv4.h"

namespace keyturn::sigv4 {
namespace {

using crypto::HmacSha256;
using crypto::Sha256Digest;

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view kTerminator = "aws4_request";

// Headers that Sign leaves out: a proxy may change them, or the signature brings its own.
constexpr std::string_view kNeverSigned[] = {
    "authorization", "connection",      "expect",     "transfer-encoding",
    "user-agent",    "x-amzn-trace-id", "x-amz-date", "x-amz-security-token"};

struct Scope {
  std::string_view timestamp;  // 20150830T123600Z; its first eight digits are the scope's date
  std::string_view date;
  std::string_view region;
  std::string_view service;
};

// Scratch: memory of one signature, kept per thread.
struct Scratch {
  HeaderNames names;
  std::string canonical;
  std::string to_sign;
  std::string payload_hash;
};

Scratch& ThreadScratch() {
  thread_local Scratch scratch;
  return scratch;
}

void AppendScope(const Scope& scope, std::string& out) {
  for (const std::string_view part : {scope.date, scope.region, scope.service}) {
    out.append(part).append("/");
  }
  out.append(kTerminator);
}

// Signature is that of scratch.canonical.
Sha256Digest Signature(const Scope& scope, const crypto::HmacKey& key, Scratch& scratch) {
  std::string& text = scratch.to_sign;
  text.clear();
  text.append(kAlgorithm).append("\n").append(scope.timestamp).append("\n");
  AppendScope(scope, text);
  text.push_back('\n');
  HexAppend(crypto::Sha256(AsBytes(scratch.canonical)), text);
  return key.Mac(AsBytes(text));
}

tl::unexpected<Error> Mismatch(std::string cause) {
  return Fail(ErrorCode::kInvalidSignatureException,
              "The request signature we calculated does not match the signature you provided. "
              "Check your AWS Secret Access Key and signing method. Consult the service "
              "documentation for details.",
              std::move(cause));
}

}  // namespace

crypto::Key256 SigningKey(ByteView secret_access_key, std::string_view date,
                          std::string_view region, std::string_view service) {
  constexpr std::string_view kPrefix = "AWS4";
  SecretBytes first(kPrefix.size() + secret_access_key.size());
  const MutableByteView bytes = first.reveal_mutable();
  std::copy(kPrefix.begin(), kPrefix.end(), bytes.begin());
  std::copy(secret_access_key.begin(), secret_access_key.end(), bytes.begin() + kPrefix.size());

  Sha256Digest step = HmacSha256(first.reveal(), AsBytes(date));
  for (const std::string_view part : {region, service, kTerminator}) {
    step = HmacSha256(step, AsBytes(part));
  }
  crypto::Key256 key;
  std::copy(step.begin(), step.end(), key.reveal_mutable().begin());
  WipeMemory(step.data(), step.size());
  return key;
}

Status VerifySignature(const Request& request, const Authorization& authorization,
                       const crypto::HmacKey& signing_key) {
  Scratch& scratch = ThreadScratch();
  scratch.payload_hash.clear();
  HexAppend(crypto::Sha256(request.body), scratch.payload_hash);
  for (const Header& header : request.headers) {
    if (EqualsIgnoreCase("x-amz-content-sha256", header.name) &&
        TrimBlanks(header.value) != scratch.payload_hash) {
      return Mismatch("X-Amz-Content-Sha256 is not the hash of the body");
    }
  }
  scratch.canonical.clear();
  if (!scratch.names.ParseList(authorization.signed_headers) ||
      !AppendCanonicalRequest(request, scratch.names, scratch.payload_hash, scratch.canonical)) {
    return Mismatch("a signed header is missing or named twice");
  }
  const Scope scope{authorization.timestamp_text(), authorization.date, authorization.region,
                    authorization.service};
  const Sha256Digest signature = Signature(scope, signing_key, scratch);
  Sha256Digest given{};
  // A spelling that is no lower-case hex is compared too, as zeros, so that both take one path.
  const bool spelled = HexDecodeInto(authorization.signature, given);
  const bool equal = crypto::ConstantTimeEquals(signature, given);
  if (!spelled || !equal) {
    return Mismatch("signatures differ");
  }
  return {};
}

const crypto::HmacKey& SigningKeyCache::Get(const Authorization& authorization,
                                            ByteView secret_access_key) {
  name_.clear();
  for (const std::string_view part : {authorization.date, authorization.region,
                                      authorization.service, authorization.access_key_id}) {
    name_.append(part).append("/");
  }
  const auto found = keys_.find(std::string_view(name_));
  if (found != keys_.end()) {
    return found->second;
  }
  if (keys_.size() >= kEntriesMax) {
    MakeRoom(authorization.date);
  }
  const crypto::Key256 key = SigningKey(secret_access_key, authorization.date, authorization.region,
                                        authorization.service);
  return keys_.emplace(name_, crypto::HmacKey(key.reveal())).first->second;
}

void SigningKeyCache::MakeRoom(std::string_view date) {
  std::erase_if(keys_, [date](const auto& entry) { return !entry.first.starts_with(date); });
  if (keys_.size() >= kEntriesMax) {
    keys_.clear();
  }
}

SignedHeaders Sign(const Request& request, const Credentials& credentials, std::string_view region,
                   std::string_view service, TimePoint now) {
  DerivedKey key;
  return SignWith(request, credentials, key.Get(credentials, region, service, now), region, service,
                  now);
}

const crypto::HmacKey& DerivedKey::Get(const Credentials& credentials, std::string_view region,
                                       std::string_view service, TimePoint now) {
  const std::string date = FormatBasic(now).substr(0, 8);
  if (!key_ || date != date_ || credentials.access_key_id != access_key_id_) {
    key_.emplace(
        SigningKey(credentials.secret_access_key.reveal(), date, region, service).reveal());
    date_ = date;
    access_key_id_ = credentials.access_key_id;
  }
  return *key_;
}

SignedHeaders SignWith(const Request& request, const Credentials& credentials,
                       const crypto::HmacKey& key, std::string_view region,
                       std::string_view service, TimePoint now) {
  SignedHeaders out;
  out.amz_date = FormatBasic(now);
  std::vector<Header> headers;
  std::vector<std::string_view> names;
  for (const Header& header : request.headers) {
    if (std::none_of(std::begin(kNeverSigned), std::end(kNeverSigned),
                     [&](std::string_view name) { return EqualsIgnoreCase(name, header.name); })) {
      headers.push_back(header);
      names.push_back(header.name);
    }
  }
  KT_CHECK(std::any_of(names.begin(), names.end(),
                       [](std::string_view name) { return EqualsIgnoreCase("host", name); }));
  headers.push_back({"x-amz-date", out.amz_date});
  names.push_back("x-amz-date");
  if (!credentials.session_token.empty()) {
    headers.push_back({"x-amz-security-token", credentials.session_token});
    names.push_back("x-amz-security-token");
  }

  Request all = request;
  all.headers = headers;
  Scratch& scratch = ThreadScratch();
  scratch.names.Assign(names);
  scratch.canonical.clear();
  KT_CHECK(AppendCanonicalRequest(all, scratch.names, HexEncode(crypto::Sha256(request.body)),
                                  scratch.canonical));
  const Scope scope{out.amz_date, std::string_view(out.amz_date).substr(0, 8), region, service};
  const Sha256Digest signature = Signature(scope, key, scratch);

  std::string& text = out.authorization;
  text.append(kAlgorithm).append(" Credential=").append(credentials.access_key_id).append("/");
  AppendScope(scope, text);
  text.append(", SignedHeaders=");
  std::string_view separator;
  for (const std::string_view name : scratch.names.names()) {
    text.append(separator).append(name);
    separator = ";";
  }
  text.append(", Signature=");
  HexAppend(signature, text);
  return out;
}

}  // namespace keyturn::sigv4
