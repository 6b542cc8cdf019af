#include "http/tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/hex.h"
#include "http/client.h"
#include "http/test_certificate.h"
#include "http/test_peer.h"
#include "http/tls_cause.h"

namespace keyturn::http {

TestCertificate::TestCertificate(const std::string& ip_address) {
  std::string pattern = (std::filesystem::temp_directory_path() / "keyturn-tls-XXXXXX").string();
  KT_CHECK(mkdtemp(pattern.data()) != nullptr);
  directory_ = pattern;
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_NAME* name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("keyturn test"), -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  X509_set_pubkey(certificate, key);
  const auto extend = [certificate](int nid, const std::string& value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  };
  extend(NID_subject_alt_name, "IP:" + ip_address);
  extend(NID_basic_constraints, "critical,CA:TRUE");
  KT_CHECK(X509_sign(certificate, key, EVP_sha256()) > 0);
  BIO* certificate_out = BIO_new_file(certificate_file().c_str(), "w");
  BIO* key_out = BIO_new_file(key_file().c_str(), "w");
  KT_CHECK(PEM_write_bio_X509(certificate_out, certificate) == 1);
  KT_CHECK(PEM_write_bio_PrivateKey(key_out, key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  BIO_free(certificate_out);
  BIO_free(key_out);
  X509_free(certificate);
  EVP_PKEY_free(key);
}

TestCertificate::~TestCertificate() { std::filesystem::remove_all(directory_); }

namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// TlsPeer: a client with the TLS version and ciphers that the test chooses.
class TlsPeer {
 public:
  TlsPeer(std::uint16_t port, int version, const char* ciphers = nullptr)
      : peer_(port), context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_security_level(context_, 0);
    SSL_CTX_set_min_proto_version(context_, version);
    SSL_CTX_set_max_proto_version(context_, version);
    if (ciphers != nullptr) {
      KT_CHECK(SSL_CTX_set_cipher_list(context_, ciphers) == 1);
    }
    SSL_CTX_set_keylog_callback(context_, [](const SSL* ssl, const char* line) {
      auto* self = static_cast<TlsPeer*>(SSL_get_app_data(ssl));
      const std::string_view text = line;
      if (text.starts_with("CLIENT_TRAFFIC_SECRET_0 ")) {
        self->client_secret_ = text.substr(text.rfind(' ') + 1);
      }
    });
    ssl_ = SSL_new(context_);
    SSL_set_app_data(ssl_, this);
    SSL_set_fd(ssl_, peer_.fd());
    connected_ = SSL_connect(ssl_) == 1;
  }
  ~TlsPeer() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }
  TlsPeer(const TlsPeer&) = delete;
  TlsPeer& operator=(const TlsPeer&) = delete;

  bool connected() const { return connected_; }
  void Send(std::string_view text) {
    std::size_t written = 0;
    KT_CHECK(SSL_write_ex(ssl_, text.data(), text.size(), &written) == 1);
  }
  void SendRaw(std::string_view records) { KT_CHECK(peer_.Send(records)); }
  // client_secret: TLS 1.3's client_application_traffic_secret_0.
  std::string client_secret() const {
    const auto bytes = HexDecode(client_secret_);
    KT_CHECK(bytes.has_value());
    return {bytes->begin(), bytes->end()};
  }
  // ReadToEnd returns all there is; "(cut)" follows when the end is not one that TLS vouches for.
  std::string ReadToEnd() {
    std::string text;
    std::size_t count = 0;
    char bytes[4096];
    while (SSL_read_ex(ssl_, bytes, sizeof(bytes), &count) == 1) {
      text.append(bytes, count);
    }
    switch (SSL_get_error(ssl_, 0)) {
      case SSL_ERROR_ZERO_RETURN:
        return text;
      case SSL_ERROR_WANT_READ:  // the peer's patience has ended
        return text + "(timeout)";
      default:
        return text + "(cut)";
    }
  }

 private:
  TestPeer peer_;
  SSL_CTX* context_;
  SSL* ssl_ = nullptr;
  std::string client_secret_;
  bool connected_ = false;
};

class TlsServerTest : public ::testing::Test {
 protected:
  TlsServerTest() {
    setenv("no_proxy", "*", 1);  // a proxy of the machine's must not come between
    options_.tls_certificate_file = certificate_.certificate_file();
    options_.tls_key_file = certificate_.key_file();
  }
  TestCertificate certificate_;
  ServerOptions options_;
};

TEST_F(TlsServerTest, ServesBothVersionsAndSaysWhich) {
  FunctionHandler handler([](std::shared_ptr<Exchange> exchange) {
    const auto& tls = exchange->request().tls;
    KT_CHECK(tls.has_value());
    const std::string body = std::string(tls->version) + " " + std::string(tls->cipher_suite);
    exchange->Reply(HeadFor(body), body);
  });
  auto server = StartServer(handler, options_);
  const std::string request = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
  TlsPeer modern(server->port(), TLS1_3_VERSION);
  ASSERT_TRUE(modern.connected());
  modern.Send(request);
  EXPECT_THAT(modern.ReadToEnd(), testing::EndsWith("\r\n\r\nTLSv1.3 TLS_AES_256_GCM_SHA384"));
  TlsPeer older(server->port(), TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256");
  ASSERT_TRUE(older.connected());
  older.Send(request);
  EXPECT_THAT(older.ReadToEnd(),
              testing::EndsWith("\r\n\r\nTLSv1.2 TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"));
}

TEST_F(TlsServerTest, RefusesOldVersionsAndCiphersWithoutForwardSecrecy) {
  EchoHandler echo;
  auto server = StartServer(echo, options_);
  EXPECT_FALSE(TlsPeer(server->port(), TLS1_1_VERSION).connected());
  EXPECT_FALSE(TlsPeer(server->port(), TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA").connected());
  EXPECT_FALSE(TlsPeer(server->port(), TLS1_2_VERSION, "AES128-GCM-SHA256").connected());
  EXPECT_TRUE(TlsPeer(server->port(), TLS1_2_VERSION).connected());
}

TEST_F(TlsServerTest, PlainHttpOnTheTlsPortGetsNoReplyInClear) {
  EchoHandler echo;
  auto server = StartServer(echo, options_);
  TestPeer peer(server->port());
  ASSERT_TRUE(peer.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
  EXPECT_THAT(peer.ReadToEnd(), testing::Not(HasSubstr("HTTP/1.1")));
}

TEST_F(TlsServerTest, HandshakeThatDoesNotEndIsClosed) {
  EchoHandler echo;
  std::atomic<int> seconds{1000};
  options_.sweep_interval = std::chrono::milliseconds(2);
  options_.request_timeout_seconds = 5;
  options_.idle_timeout_seconds = 100;
  options_.steady_now = [&seconds] {
    return std::chrono::steady_clock::time_point(std::chrono::seconds(seconds.load()));
  };
  auto server = StartServer(echo, options_);
  TestPeer silent(server->port());
  TlsPeer complete(server->port(), TLS1_3_VERSION);  // accepted after the silent one
  seconds += 10;
  EXPECT_EQ(silent.ReadToEnd(), "");
  complete.Send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(complete.ReadToEnd(), StartsWith("HTTP/1.1 200"));
}

// ClientRecords: TLS 1.3 records as the client would seal them with its first application key.
class ClientRecords {
 public:
  explicit ClientRecords(std::string secret) : secret_(std::move(secret)) {}

  std::string Seal(std::string_view content, char type) {
    std::string inner = std::string(content) + type;
    const std::size_t size = inner.size() + kTagSize;
    const std::string head = {0x17, 3, 3, static_cast<char>(size >> 8), static_cast<char>(size)};
    std::string nonce = Expand("iv", 12);
    nonce.back() = static_cast<char>(nonce.back() ^ sequence_++);
    EVP_CIPHER_CTX* cipher = EVP_CIPHER_CTX_new();
    std::string sealed(inner.size(), '\0');
    std::string tag(kTagSize, '\0');
    int count = 0;
    KT_CHECK(EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), nullptr, Bytes(Expand("key", 32)).data(),
                                Bytes(nonce).data()) == 1);
    KT_CHECK(EVP_EncryptUpdate(cipher, nullptr, &count, Bytes(head).data(), 5) == 1);
    KT_CHECK(EVP_EncryptUpdate(cipher, reinterpret_cast<unsigned char*>(sealed.data()), &count,
                               Bytes(inner).data(), static_cast<int>(inner.size())) == 1);
    KT_CHECK(EVP_EncryptFinal_ex(cipher, nullptr, &count) == 1);
    KT_CHECK(EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, kTagSize, tag.data()) == 1);
    EVP_CIPHER_CTX_free(cipher);
    return head + sealed + tag;
  }

 private:
  static constexpr int kTagSize = 16;
  static std::vector<unsigned char> Bytes(std::string_view text) {
    return {text.begin(), text.end()};
  }
  // Expand is HKDF-Expand-Label (RFC 8446, 7.1).
  std::string Expand(std::string_view label, std::size_t size) const {
    std::string info = {0, static_cast<char>(size), static_cast<char>(6 + label.size())};
    info.append("tls13 ").append(label).push_back('\0');
    info.push_back(1);  // the counter of the only block
    unsigned int length = 0;
    unsigned char block[EVP_MAX_MD_SIZE];
    KT_CHECK(HMAC(EVP_sha384(), secret_.data(), static_cast<int>(secret_.size()),
                  Bytes(info).data(), info.size(), block, &length) != nullptr);
    return {reinterpret_cast<char*>(block), size};
  }

  const std::string secret_;
  char sequence_ = 0;
};

// A client that stops within a message of TLS itself cannot be answered.
TEST_F(TlsServerTest, AReplyThatTlsRefusesEndsTheConnection) {
  EchoHandler echo;
  auto server = StartServer(echo, options_);
  TlsPeer peer(server->port(), TLS1_3_VERSION);
  ASSERT_TRUE(peer.connected());
  ClientRecords records(peer.client_secret());
  const std::string request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  peer.SendRaw(records.Seal(request, 23) + records.Seal({"\x18\0\0\1", 4}, 22));  // of a KeyUpdate
  EXPECT_EQ(peer.ReadToEnd(), "(cut)");
  TlsPeer whole(server->port(), TLS1_3_VERSION);
  ClientRecords more(whole.client_secret());
  whole.SendRaw(more.Seal("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 23));
  EXPECT_THAT(whole.ReadToEnd(), StartsWith("HTTP/1.1 200"));
}

TEST_F(TlsServerTest, CarriesLargeBodiesBothWays) {
  FunctionHandler handler([](std::shared_ptr<Exchange> exchange) {
    std::string body(exchange->request().body);
    std::string head = HeadFor(body);
    exchange->Reply(std::move(head), std::move(body));
  });
  options_.body_bytes_max = 8 << 20;
  auto server = StartServer(handler, options_);
  ClientOptions client_options;
  client_options.ca_bundle_file = certificate_.certificate_file();
  auto client = *Client::Create(client_options);
  std::string body;
  for (int i = 0; body.size() < (4 << 20); ++i) {
    body += std::to_string(i);
  }
  int right = 0;
  for (int i = 0; i < 3; ++i) {
    ClientRequest request;
    request.url = "https://127.0.0.1:" + std::to_string(server->port()) + "/";
    request.body = body;
    client->Submit(std::move(request), [&](Result<ClientResponse> response) {
      ASSERT_TRUE(response.has_value()) << response.error().message;
      right += response->body == body ? 1 : 0;
    });
  }
  while (client->Pump(std::chrono::milliseconds(1000)) > 0) {
  }
  EXPECT_EQ(right, 3);
}

// ErrorOfCall returns what a client that trusts ca_file makes of a server.
Error ErrorOfCall(const std::string& url, const std::string& ca_file) {
  ClientOptions options;
  options.ca_bundle_file = ca_file;
  auto client = *Client::Create(options);
  Error error;
  ClientRequest request;
  request.url = url;
  client->Submit(std::move(request), [&error](Result<ClientResponse> response) {
    ASSERT_FALSE(response.has_value());
    error = response.error();
  });
  while (client->Pump(std::chrono::milliseconds(1000)) > 0) {
  }
  return error;
}

TEST_F(TlsServerTest, ClientVerifiesTheIssuer) {
  EchoHandler echo;
  auto server = StartServer(echo, options_);
  const TestCertificate stranger;
  const Error error = ErrorOfCall("https://127.0.0.1:" + std::to_string(server->port()) + "/",
                                  stranger.certificate_file());
  EXPECT_EQ(error.code, ErrorCode::kNetwork);
  EXPECT_EQ(error.cause, kTlsCause);
  EXPECT_THAT(error.message, HasSubstr("certificate"));
}

TEST_F(TlsServerTest, ClientVerifiesTheHost) {
  EchoHandler echo;
  const TestCertificate elsewhere("127.0.0.2");
  options_.tls_certificate_file = elsewhere.certificate_file();
  options_.tls_key_file = elsewhere.key_file();
  auto server = StartServer(echo, options_);
  const Error error = ErrorOfCall("https://127.0.0.1:" + std::to_string(server->port()) + "/",
                                  elsewhere.certificate_file());
  EXPECT_EQ(error.code, ErrorCode::kNetwork);
  EXPECT_EQ(error.cause, kTlsCause);
}

TEST_F(TlsServerTest, StartNamesTheFileAtFault) {
  EchoHandler echo;
  const TestCertificate other;
  const std::string garbage = other.directory() + "/garbage.pem";
  std::ofstream(garbage) << "not a certificate";
  const std::string missing = other.directory() + "/missing.pem";
  const std::string certificate = certificate_.certificate_file();
  const std::string key = certificate_.key_file();
  struct Case {
    std::string certificate;
    std::string key;
    std::string message;
  };
  for (const Case& c : {Case{missing, key, "cannot use the TLS certificate " + missing},
                        Case{garbage, key, "cannot use the TLS certificate " + garbage},
                        Case{certificate, missing, "cannot use the TLS key " + missing},
                        Case{certificate, garbage, "cannot use the TLS key " + garbage},
                        Case{certificate, other.key_file(),
                             "the TLS key " + other.key_file() +
                                 " does not belong to the certificate " + certificate},
                        Case{certificate, "", "TLS needs a certificate file and a key file"},
                        Case{"", key, "TLS needs a certificate file and a key file"}}) {
    options_.tls_certificate_file = c.certificate;
    options_.tls_key_file = c.key;
    auto server = Server::Start(options_, echo);
    ASSERT_FALSE(server.has_value());
    EXPECT_EQ(server.error().code, ErrorCode::kUsage);
    EXPECT_THAT(server.error().message, StartsWith(c.message));
  }
}

TEST_F(TlsServerTest, RefusesAKeyThatAsksForAPassword) {
  EchoHandler echo;
  const std::string locked = certificate_.directory() + "/locked.pem";
  BIO* in = BIO_new_file(certificate_.key_file().c_str(), "r");
  EVP_PKEY* key = PEM_read_bio_PrivateKey(in, nullptr, nullptr, nullptr);
  BIO* out = BIO_new_file(locked.c_str(), "w");
  unsigned char password[] = "secret";
  ASSERT_EQ(PEM_write_bio_PrivateKey(out, key, EVP_aes_256_cbc(), password, 6, nullptr, nullptr),
            1);
  BIO_free(out);
  BIO_free(in);
  EVP_PKEY_free(key);
  options_.tls_key_file = locked;
  auto server = Server::Start(options_, echo);
  ASSERT_FALSE(server.has_value());
  EXPECT_THAT(server.error().message, StartsWith("cannot use the TLS key " + locked));
}

TEST_F(TlsServerTest, TlsLetsTheServerBeReachable) {
  EchoHandler echo;
  options_.address = "0.0.0.0";
  auto server = Server::Start(options_, echo);
  ASSERT_TRUE(server.has_value());
  EXPECT_TRUE(TlsPeer((*server)->port(), TLS1_3_VERSION).connected());
}

}  // namespace
}  // namespace keyturn::http
