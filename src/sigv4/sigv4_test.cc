// SigV4 against AWS's published suite, against botocore, and against everything that must not pass.
#include "sigv4/sigv4.h"

#include <gtest/gtest.h>

#include <fstream>
#include <optional>
#include <string>
#include <vector>

namespace keyturn::sigv4 {
namespace {

constexpr std::string_view kSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
constexpr std::string_view kMismatch =
    "The request signature we calculated does not match the signature you provided. Check your AWS "
    "Secret Access Key and signing method. Consult the service documentation for details.";

TimePoint At(std::string_view basic) { return ParseBasic(basic).value(); }

// Vector: a block of tests/data/vectors/sigv4_*.txt.
struct Vector {
  std::string name, region = "us-east-1", method, path, query, body, signed_headers, signature;
  std::vector<std::pair<std::string, std::string>> header_lines;

  std::vector<Header> Headers() const {
    std::vector<Header> headers;
    for (const auto& [key, value] : header_lines) {
      headers.push_back({key, value});
    }
    return headers;
  }
};

std::vector<Vector> ReadVectors(const std::string& file) {
  std::ifstream in(std::string(KEYTURN_SOURCE_DIR "/tests/data/vectors/") + file);
  std::vector<Vector> vectors;
  for (std::string line; std::getline(in, line);) {
    const std::size_t space = line.find(' ');
    if (line.empty() || line[0] == '#') {
      continue;
    }
    const std::string key = line.substr(0, space);
    const std::string value = line.substr(space + 1);
    if (key == "name") {
      vectors.emplace_back().name = value;
    } else if (key == "header") {
      const std::size_t colon = value.find(':');
      vectors.back().header_lines.emplace_back(value.substr(0, colon), value.substr(colon + 1));
    } else {
      Vector& v = vectors.back();
      std::string* slot = key == "region"      ? &v.region
                          : key == "method"    ? &v.method
                          : key == "path"      ? &v.path
                          : key == "query"     ? &v.query
                          : key == "body"      ? &v.body
                          : key == "signed"    ? &v.signed_headers
                          : key == "signature" ? &v.signature
                                               : nullptr;
      EXPECT_NE(slot, nullptr) << line;
      *slot = value;
    }
  }
  return vectors;
}

// Call: a request that is signed correctly when sent, to be spoiled before it is verified.
struct Call {
  std::string method = "POST", path = "/", query, body = R"({"KeyId":"alias/a"})";
  std::string region = "eu-central-1", service = "kms";
  std::vector<std::pair<std::string, std::string>> headers = {
      {"Host", "kms.eu-central-1.amazonaws.com"},
      {"Content-Type", "application/x-amz-json-1.1"},
      {"X-Amz-Target", "TrentService.DescribeKey"}};
  TimePoint now = At("20260101T001000Z");

  void Send(TimePoint when) {
    const auto signed_headers = Sign(
        Make(), {"AKIDEXAMPLE", SecretBytes::CopyOf(AsBytes(kSecret)), ""}, region, service, when);
    headers.emplace_back("X-Amz-Date", signed_headers.amz_date);
    headers.emplace_back("Authorization", signed_headers.authorization);
  }
  void Send() { Send(now); }

  // Value of a header that is there.
  std::string& operator[](std::string_view name) {
    for (auto& [key, value] : headers) {
      if (key == name) {
        return value;
      }
    }
    ADD_FAILURE() << "no header " << name;
    return headers.front().second;
  }
  void Replace(std::string_view from, std::string_view to) {
    std::string& text = (*this)["Authorization"];
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
  }
  void Remove(std::string_view name) {
    std::erase_if(headers, [&](const auto& header) { return header.first == name; });
  }

  Status Verify() {
    const Request request = Make();
    const auto authorization = ParseAuthorization(request, "kms", now);
    if (!authorization) {
      return Fail(authorization.error());
    }
    const crypto::Key256 key =
        SigningKey(AsBytes(kSecret), authorization->date, authorization->region, "kms");
    return VerifySignature(request, *authorization, crypto::HmacKey(key.reveal()));
  }
  std::string Refusal() {
    const Status status = Verify();
    return status ? "accepted" : status.error().message;
  }
  std::optional<ErrorCode> Code() {
    const Status status = Verify();
    return status ? std::nullopt : std::optional(status.error().code);
  }

 private:
  Request Make() {
    views_.clear();
    for (const auto& [key, value] : headers) {
      views_.push_back({key, value});
    }
    return {method, path, query, views_, AsBytes(body)};
  }
  std::vector<Header> views_;
};

// --- Published vectors -------------------------------------------------------------------------

TEST(SigV4Suite, VerifiesEveryPublishedRequest) {
  const auto vectors = ReadVectors("sigv4_suite.txt");
  ASSERT_EQ(vectors.size(), 31U);
  for (const Vector& v : vectors) {
    SCOPED_TRACE(v.name);
    auto headers = v.Headers();
    const std::string text =
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        "SignedHeaders=" +
        v.signed_headers + ", Signature=" + v.signature;
    headers.push_back({"Authorization", text});
    const Request request{v.method, v.path, v.query, headers, AsBytes(v.body)};
    const auto parsed = ParseAuthorization(request, "service", At("20150830T123600Z"));
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(parsed->access_key_id, "AKIDEXAMPLE");
    const auto key = SigningKey(AsBytes(kSecret), "20150830", "us-east-1", "service");
    EXPECT_TRUE(VerifySignature(request, *parsed, crypto::HmacKey(key.reveal())));
    const auto other = SigningKey(AsBytes("another secret"), "20150830", "us-east-1", "service");
    EXPECT_FALSE(VerifySignature(request, *parsed, crypto::HmacKey(other.reveal())));
  }
}

TEST(SigV4Suite, SignsAsPublished) {
  for (const Vector& v : ReadVectors("sigv4_suite.txt")) {
    SCOPED_TRACE(v.name);
    auto headers = v.Headers();
    std::string token;
    for (const Header& header : headers) {
      if (header.name == "X-Amz-Security-Token") token = header.value;
    }
    const auto made = Sign({v.method, v.path, v.query, headers, AsBytes(v.body)},
                           {"AKIDEXAMPLE", SecretBytes::CopyOf(AsBytes(kSecret)), token},
                           "us-east-1", "service", At("20150830T123600Z"));
    EXPECT_EQ(made.amz_date, "20150830T123600Z");
    EXPECT_EQ(made.authorization,
              "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
              "SignedHeaders=" +
                  v.signed_headers + ", Signature=" + v.signature);
  }
}

TEST(SigV4Botocore, AgreesOnRequestsAsClientsSendThem) {
  const auto vectors = ReadVectors("sigv4_botocore.txt");
  ASSERT_EQ(vectors.size(), 4U);
  for (const Vector& v : vectors) {
    SCOPED_TRACE(v.name);
    auto headers = v.Headers();
    const std::string text = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/" + v.region +
                             "/kms/aws4_request, SignedHeaders=" + v.signed_headers +
                             ", Signature=" + v.signature;
    headers.push_back({"Authorization", text});
    const Request request{v.method, v.path, v.query, headers, AsBytes(v.body)};
    const auto parsed = ParseAuthorization(request, "kms", At("20150830T123600Z"));
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(parsed->region, v.region);
    const auto key = SigningKey(AsBytes(kSecret), "20150830", v.region, "kms");
    EXPECT_TRUE(VerifySignature(request, *parsed, crypto::HmacKey(key.reveal())));
  }
}

// --- What passes -------------------------------------------------------------------------------

TEST(Verify, AcceptsWhatWasSigned) {
  Call call;
  call.Send();
  EXPECT_EQ(call.Refusal(), "accepted");
}

TEST(Verify, AcceptsListInAnyOrderAndCase) {
  Call call;
  call.Send();
  call.Replace("content-type;host;", "Host;Content-Type;");
  EXPECT_EQ(call.Refusal(), "accepted");
}

TEST(Verify, AcceptsPartsWithoutBlanksOrWithMany) {
  for (const char* separator : {",", ",   ", " , ", ", ,"}) {
    Call call;
    call.Send();
    call.Replace(", Signed", std::string(separator) + "Signed");
    call.Replace(", Signature", std::string(separator) + "Signature");
    EXPECT_EQ(call.Refusal(), "accepted") << '"' << separator << '"';
  }
}

TEST(Verify, AcceptsHashOfTheBodyInContentSha256) {
  Call call;
  call.body.clear();
  call.headers.emplace_back("X-Amz-Content-Sha256",
                            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  call.Send();
  EXPECT_EQ(call.Refusal(), "accepted");
}

TEST(Verify, UnsignedUserAgentMayChange) {
  Call call;
  call.headers.emplace_back("User-Agent", "a");
  call.Send();
  call["User-Agent"] = "b";
  EXPECT_EQ(call.Refusal(), "accepted");
}

TEST(Verify, DateHeaderServesWhenThereIsNoAmzDate) {
  for (const char* date : {"Thu, 01 Jan 2026 00:10:00 GMT", "20260101T001000Z"}) {
    const std::vector<Header> headers = {
        {"host", "h"},
        {"date", date},
        {"authorization",
         "AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/kms/aws4_request, "
         "SignedHeaders=host, Signature=0"}};
    const auto parsed =
        ParseAuthorization({"POST", "/", "", headers, {}}, "kms", At("20260101T001000Z"));
    ASSERT_TRUE(parsed) << parsed.error().message;
    const Authorization moved = *parsed;
    EXPECT_EQ(moved.timestamp_text(), "20260101T001000Z");
  }
}

TEST(Verify, SkewOfFiveMinutesExactlyIsAllowed) {
  for (const char* when : {"20260101T000500Z", "20260101T001500Z"}) {
    Call call;
    call.Send(At(when));
    EXPECT_EQ(call.Refusal(), "accepted") << when;
  }
}

// --- What is tampered with ---------------------------------------------------------------------

TEST(Verify, RefusesEveryChangeToWhatIsSigned) {
  const std::pair<const char*, void (*)(Call&)> kChanges[] = {
      {"body", [](Call& c) { c.body.back() = ' '; }},
      {"body emptied", [](Call& c) { c.body.clear(); }},
      {"method", [](Call& c) { c.method = "PUT"; }},
      {"path", [](Call& c) { c.path = "/x"; }},
      {"query", [](Call& c) { c.query = "Action=x"; }},
      {"host", [](Call& c) { c["Host"] = "evil.example"; }},
      {"target", [](Call& c) { c["X-Amz-Target"] = "TrentService.Decrypt"; }},
      {"content type", [](Call& c) { c["Content-Type"] = "text/plain"; }},
      {"date", [](Call& c) { c["X-Amz-Date"] = "20260101T001001Z"; }},
      {"region", [](Call& c) { c.Replace("eu-central-1", "eu-central-2"); }},
      {"signed header gone", [](Call& c) { c.Remove("Content-Type"); }},
      {"signed header twice", [](Call& c) { c.headers.emplace_back("content-type", "x"); }},
      {"list without one", [](Call& c) { c.Replace("content-type;", ""); }},
      {"list with one more", [](Call& c) { c.Replace("host;", "expect;host;"); }},
      {"list with one twice", [](Call& c) { c.Replace("host;", "host;host;"); }},
      {"signature in upper case",
       [](Call& c) {
         std::string& text = c["Authorization"];
         const auto at = static_cast<std::ptrdiff_t>(text.find("Signature="));
         std::transform(text.begin() + at + 10, text.end(), text.begin() + at + 10, ::toupper);
       }},
      {"signature cut", [](Call& c) { c["Authorization"].pop_back(); }},
      {"signature longer", [](Call& c) { c["Authorization"].push_back('0'); }}};
  for (const auto& [what, change] : kChanges) {
    Call call;
    call.Send();
    change(call);
    EXPECT_EQ(call.Code(), ErrorCode::kInvalidSignatureException) << what;
    EXPECT_EQ(call.Refusal(), kMismatch) << what;
  }
}

TEST(Verify, RefusesEveryChangedHexDigitOfTheSignature) {
  Call good;
  good.Send();
  const std::size_t at = good["Authorization"].find("Signature=") + 10;
  for (std::size_t i = at; i < at + 64; ++i) {
    Call call = good;
    char& c = call["Authorization"][i];
    c = c == '0' ? '1' : '0';
    ASSERT_EQ(call.Refusal(), kMismatch) << i;
  }
}

TEST(Verify, RefusesUnsignedPayload) {
  Call call;
  call.headers.emplace_back("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD");
  call.Send();
  EXPECT_EQ(call.Refusal(), kMismatch);
}

TEST(Verify, RefusesHeadersThatTwoReadersCouldReadDifferently) {
  for (const char* name : {"host", "x-amz-target", "X-AMZ-DATE", "authorization"}) {
    Call call;
    call.Send();
    call.headers.emplace_back(name, "other");
    EXPECT_EQ(call.Code(), ErrorCode::kInvalidSignatureException) << name;
    EXPECT_EQ(call.Refusal(), std::string("Header '") + name + "' appears more than once.");
  }
}

TEST(Verify, RefusesAmzHeadersThatAreNotSigned) {
  Call call;
  call.Send();
  call.headers.emplace_back("X-Amz-Security-Token", "injected");
  EXPECT_EQ(call.Refusal(),
            "'X-Amz-Security-Token' must be a 'SignedHeader' in the AWS Authorization.");
  Call other;
  other.Send();
  other.Replace("host;", "");
  EXPECT_EQ(other.Code(), ErrorCode::kInvalidSignatureException);
  EXPECT_EQ(other.Refusal(),
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
}

// --- What is malformed, in AWS's words ---------------------------------------------------------

TEST(Parse, NoTokenAtAll) {
  for (const char* value : {"", "Basic dXNlcjpw", "Bearer x", "AWS AKID:sig"}) {
    Call call;
    call.Send();
    call["Authorization"] = value;
    EXPECT_EQ(call.Code(), ErrorCode::kMissingAuthenticationTokenException) << value;
    EXPECT_EQ(call.Refusal(), "Missing Authentication Token");
  }
  Call none;
  EXPECT_EQ(none.Code(), ErrorCode::kMissingAuthenticationTokenException);
}

TEST(Parse, NamesAllMissingParts) {
  Call call;
  call.headers.emplace_back("Authorization", "AWS4-HMAC-SHA256");
  EXPECT_EQ(call.Code(), ErrorCode::kIncompleteSignatureException);
  EXPECT_EQ(call.Refusal(),
            "Authorization header requires 'Credential' parameter. "
            "Authorization header requires 'Signature' parameter. "
            "Authorization header requires 'SignedHeaders' parameter. "
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
            "Authorization=AWS4-HMAC-SHA256");
  call["Authorization"] = "AWS4-HMAC-SHA256 Credential=a, Signature=b";
  call.headers.emplace_back("Date", "x");
  EXPECT_EQ(call.Refusal(),
            "Authorization header requires 'SignedHeaders' parameter. "
            "Authorization=AWS4-HMAC-SHA256 Credential=a, Signature=b");
}

TEST(Parse, PartWithoutEqualSign) {
  Call call;
  call.headers.emplace_back("Authorization", "AWS4-HMAC-SHA256 Credential, Signature=b");
  EXPECT_EQ(call.Code(), ErrorCode::kIncompleteSignatureException);
  EXPECT_EQ(call.Refusal(),
            "'Credential' not a valid key=value pair (missing equal-sign) in Authorization header: "
            "'AWS4-HMAC-SHA256 Credential, Signature=b'.");
}

TEST(Parse, EchoesOnlyPrintableText) {
  Call call;
  call.headers.emplace_back("Authorization", "AWS4-HMAC-SHA256 \x01\xFF.");
  EXPECT_EQ(call.Refusal(),
            "'??.' not a valid key=value pair (missing equal-sign) in Authorization header: "
            "'AWS4-HMAC-SHA256 ??.'.");
}

TEST(Parse, DateThatIsNone) {
  Call call;
  call.Send();
  call["X-Amz-Date"] = "2026-01-01";
  EXPECT_EQ(call.Code(), ErrorCode::kIncompleteSignatureException);
  EXPECT_EQ(call.Refusal(),
            "Date must be in ISO-8601 'basic format'. Got '2026-01-01'. See "
            "http://en.wikipedia.org/wiki/ISO_8601");
}

TEST(Parse, SkewInAwsWords) {
  Call late;
  late.Send(At("20260101T000000Z"));
  EXPECT_EQ(late.Code(), ErrorCode::kInvalidSignatureException);
  EXPECT_EQ(late.Refusal(),
            "Signature expired: 20260101T000000Z is now earlier than 20260101T000500Z "
            "(20260101T001000Z - 5 min.)");
  Call early;
  early.Send(At("20260101T001501Z"));
  EXPECT_EQ(early.Refusal(),
            "Signature not yet current: 20260101T001501Z is still later than 20260101T001500Z "
            "(20260101T001000Z + 5 min.)");
}

TEST(Parse, CredentialHasFiveElements) {
  for (const char* bad : {"AKID", "a/b/c/d", "a/b/c/kms/aws4_request/f"}) {
    Call call;
    call.Send();
    call.Replace("AKIDEXAMPLE/20260101/eu-central-1/kms/aws4_request", bad);
    EXPECT_EQ(call.Code(), ErrorCode::kIncompleteSignatureException);
    EXPECT_EQ(call.Refusal(),
              std::string("Credential must have exactly 5 slash-delimited elements, e.g. "
                          "keyid/date/region/service/term, got '") +
                  bad + "'");
  }
}

TEST(Parse, OtherAlgorithm) {
  Call call;
  call.Send();
  call.Replace("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512");
  EXPECT_EQ(call.Code(), ErrorCode::kIncompleteSignatureException);
  EXPECT_EQ(call.Refusal(),
            "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA512' (only AWS4-HMAC-SHA256 for now). ");
}

TEST(Parse, ScopeNamesAllThatIsWrong) {
  const std::pair<const char*, const char*> kCases[] = {
      {"20260101/EU/kms/aws4_request", "Credential should be scoped to a valid region."},
      {"20260101/eu-central-1/s3/aws4_request",
       "Credential should be scoped to correct service: 'kms'."},
      {"20260101/eu-central-1/kms/aws5",
       "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5'."},
      {"20251231/eu-central-1/kms/aws4_request",
       "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
       "'20251231' != '20260101', from '20260101T001000Z'."},
      {"20260101/c/d/aws4_request",
       "Credential should be scoped to a valid region. Credential should be scoped to correct "
       "service: 'kms'."}};
  for (const auto& [scope, message] : kCases) {
    Call call;
    call.Send();
    call.Replace("20260101/eu-central-1/kms/aws4_request", scope);
    EXPECT_EQ(call.Code(), ErrorCode::kInvalidSignatureException) << scope;
    EXPECT_EQ(call.Refusal(), message);
  }
}

// The order decides which of several faults a client is told.
TEST(Parse, SkewGoesBeforeScopeAndScopeBeforeSignature) {
  Call call;
  call.Send(At("20250101T000000Z"));
  call.Replace("kms", "s3");
  EXPECT_TRUE(call.Refusal().starts_with("Signature expired"));
  Call other;
  other.Send();
  other.Replace("kms", "s3");
  other.body = "changed";
  EXPECT_EQ(other.Refusal(), "Credential should be scoped to correct service: 'kms'.");
}

}  // namespace
}  // namespace keyturn::sigv4
