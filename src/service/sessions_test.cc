// Session tokens: what was sealed comes back, and nothing else opens.
#include "service/sessions.h"

#include <gtest/gtest.h>

#include "base/base64.h"
#include "crypto/random.h"

namespace keyturn::service {
namespace {

Session Example() {
  Session session;
  NewSessionCredentials(session, crypto::SystemRandom());
  session.account = *model::AccountId::Parse("111122223333");
  session.role = "Ops";
  session.role_id = "AROAEXAMPLE";
  session.name = "monday";
  session.arn = "arn:aws:sts::111122223333:assumed-role/Ops/monday";
  session.source_identity = "anna";
  session.issued = FromEpochMillis(1'795'000'000'000);
  session.expires = FromEpochMillis(1'795'003'600'000);
  session.policy_text =
      R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:*","Resource":"*"}})";
  session.tags = {{"team", "red"}, {"", ""}};
  session.transitive_tags = {"team"};
  return session;
}

TEST(Sessions, ComeBackWhole) {
  const Keyring keyring = Keyring::Create(crypto::SystemRandom());
  const Session made = Example();
  EXPECT_EQ(made.access_key_id.size(), 20U);
  EXPECT_EQ(made.secret.size(), 40U);
  const auto token = SealSession(keyring, made, crypto::SystemRandom());
  ASSERT_TRUE(token);
  EXPECT_EQ(token->find(made.role), std::string::npos);
  const auto opened = OpenSession(keyring, *token);
  ASSERT_TRUE(opened);
  const Session& session = **opened;
  EXPECT_EQ(session.access_key_id, made.access_key_id);
  EXPECT_EQ(AsText(session.secret.reveal()), AsText(made.secret.reveal()));
  EXPECT_EQ(session.account, made.account);
  EXPECT_EQ(session.role_id, made.role_id);
  EXPECT_EQ(session.arn, made.arn);
  EXPECT_EQ(session.source_identity, made.source_identity);
  EXPECT_EQ(session.issued, made.issued);
  EXPECT_EQ(session.expires, made.expires);
  EXPECT_EQ(session.tags, made.tags);
  EXPECT_EQ(session.transitive_tags, made.transitive_tags);
  EXPECT_TRUE(session.policy);
}

TEST(Sessions, NothingElseOpens) {
  const Keyring keyring = Keyring::Create(crypto::SystemRandom());
  const Keyring other = Keyring::Create(crypto::SystemRandom());
  const std::string token = *SealSession(keyring, Example(), crypto::SystemRandom());
  EXPECT_FALSE(OpenSession(other, token));
  const Bytes sealed = *Base64Decode(token);
  for (std::size_t i = 0; i < sealed.size(); i += 7) {
    Bytes touched = sealed;
    touched[i] ^= 0x20;
    EXPECT_FALSE(OpenSession(keyring, Base64Encode(touched))) << i;
    EXPECT_FALSE(OpenSession(keyring, Base64Encode(ByteView(sealed).first(i)))) << i;
  }
  // A token of another purpose, whatever it holds, is no session.
  const Bytes grant = keyring.SealToken("grant", AsBytes("x"), crypto::SystemRandom());
  EXPECT_FALSE(OpenSession(keyring, Base64Encode(grant)));
  const auto error = OpenSession(keyring, "%");
  ASSERT_FALSE(error);
  EXPECT_EQ(error.error().code, ErrorCode::kUnrecognizedClientException);
}

TEST(Sessions, HaveASize) {
  const Keyring keyring = Keyring::Create(crypto::SystemRandom());
  Session session = Example();
  EXPECT_GT(PackedPercent(session), 0);
  session.tags.push_back({"k", std::string(kSessionPackedMax, 'v')});
  const auto token = SealSession(keyring, session, crypto::SystemRandom());
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().code, ErrorCode::kLimitExceededException);
}

}  // namespace
}  // namespace keyturn::service
