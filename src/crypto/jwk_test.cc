// RS256 and ES256 against the examples of RFC 7515, appendices A.2 and A.3.
#include "crypto/jwk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/base64.h"

namespace keyturn::crypto {
namespace {

Bytes Url(std::string text) {
  std::replace(text.begin(), text.end(), '-', '+');
  std::replace(text.begin(), text.end(), '_', '/');
  text.append((4 - text.size() % 4) % 4, '=');
  const auto bytes = Base64Decode(text);
  EXPECT_TRUE(bytes);
  return bytes.value_or(Bytes());
}

constexpr char kPayload[] =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
    "fQ";
const std::string kRsInput = std::string("eyJhbGciOiJSUzI1NiJ9.") + kPayload;
const std::string kEsInput = std::string("eyJhbGciOiJFUzI1NiJ9.") + kPayload;

const Bytes kModulus =
    Url("ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-"
        "4qPCJrcS2mJPMEzP1Pt0Bm4d4Q"
        "lL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-"
        "bSf63kpaSHSXndS5z5rexMdbBYUs"
        "LA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-"
        "DWNmoudF"
        "8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ");
const Bytes kExponent = Url("AQAB");
const Bytes kRsSignature =
    Url("cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_"
        "O8W2Fp5jujGb"
        "ds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_"
        "nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0Gar"
        "ZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-"
        "eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9F"
        "s98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw");
const Bytes kX = Url("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
const Bytes kY = Url("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
const Bytes kEsSignature =
    Url("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q");

TEST(Jwk, Rs256OfRfc7515) {
  EXPECT_TRUE(VerifyRs256(kModulus, kExponent, AsBytes(kRsInput), kRsSignature));
  EXPECT_FALSE(VerifyRs256(kModulus, kExponent, AsBytes(kEsInput), kRsSignature));
  Bytes touched = kRsSignature;
  touched[17] ^= 1;
  EXPECT_FALSE(VerifyRs256(kModulus, kExponent, AsBytes(kRsInput), touched));
  EXPECT_FALSE(VerifyRs256(kModulus, kExponent, AsBytes(kRsInput), {}));
}

TEST(Jwk, Es256OfRfc7515) {
  EXPECT_TRUE(VerifyEs256(kX, kY, AsBytes(kEsInput), kEsSignature));
  EXPECT_FALSE(VerifyEs256(kX, kY, AsBytes(kRsInput), kEsSignature));
  Bytes touched = kEsSignature;
  touched[40] ^= 1;
  EXPECT_FALSE(VerifyEs256(kX, kY, AsBytes(kEsInput), touched));
  EXPECT_FALSE(VerifyEs256(kX, kY, AsBytes(kEsInput), Bytes(64, 0)));
  EXPECT_FALSE(VerifyEs256(kX, kY, AsBytes(kEsInput), Bytes(63, 1)));
}

TEST(Jwk, KeysThatAreNoneVerifyNothing) {
  EXPECT_FALSE(VerifyRs256({}, kExponent, AsBytes(kRsInput), kRsSignature));
  EXPECT_FALSE(VerifyRs256(kModulus, {}, AsBytes(kRsInput), kRsSignature));
  const Bytes one = {1};
  const Bytes even = {2};
  EXPECT_FALSE(VerifyRs256(kModulus, one, AsBytes(kRsInput), kRsSignature));
  EXPECT_FALSE(VerifyRs256(kModulus, even, AsBytes(kRsInput), kRsSignature));
  const ByteView short_modulus = ByteView(kModulus).first(128);
  EXPECT_FALSE(VerifyRs256(short_modulus, kExponent, AsBytes(kRsInput), kRsSignature));
  EXPECT_FALSE(VerifyEs256(kX, kX, AsBytes(kEsInput), kEsSignature)) << "not on the curve";
  EXPECT_FALSE(VerifyEs256(Bytes(32, 0), Bytes(32, 0), AsBytes(kEsInput), kEsSignature));
}

}  // namespace
}  // namespace keyturn::crypto
