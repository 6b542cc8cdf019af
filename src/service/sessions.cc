#include "service/sessions.h"

#include <algorithm>

#include "base/base64.h"
#include "service/principals.h"

namespace keyturn::service {
namespace {

constexpr char kFormat = '1';
constexpr std::string_view kPurpose = "session";

// Fields: texts one behind the other, each with its length (32 bits, little-endian) ahead.
class FieldWriter {
 public:
  void Add(std::string_view text) {
    const auto size = static_cast<std::uint32_t>(text.size());
    for (unsigned shift = 0; shift < 32; shift += 8) {
      bytes_.push_back(static_cast<std::uint8_t>(size >> shift));
    }
    bytes_.insert(bytes_.end(), text.begin(), text.end());
  }
  void AddNumber(std::int64_t number) { Add(std::to_string(number)); }
  Bytes& bytes() { return bytes_; }

 private:
  Bytes bytes_;
};

class FieldReader {
 public:
  explicit FieldReader(ByteView bytes) : bytes_(bytes) {}
  std::string_view Take() {
    std::uint32_t size = 0;
    if (bytes_.size() < 4) return Bad();
    for (unsigned i = 0; i < 4; ++i) size |= static_cast<std::uint32_t>(bytes_[i]) << (8 * i);
    bytes_ = bytes_.subspan(4);
    if (bytes_.size() < size) return Bad();
    const std::string_view text = AsText(bytes_.first(size));
    bytes_ = bytes_.subspan(size);
    return text;
  }
  std::string TakeText() { return std::string(Take()); }
  std::int64_t TakeNumber() { return std::strtoll(TakeText().c_str(), nullptr, 10); }
  // Done: everything was there, and nothing more.
  bool Done() const { return ok_ && bytes_.empty(); }
  bool ok() const { return ok_; }

 private:
  std::string_view Bad() {
    ok_ = false;
    bytes_ = {};
    return {};
  }
  ByteView bytes_;
  bool ok_ = true;
};

std::size_t PackedBytes(const Session& session) {
  std::size_t bytes = session.policy_text.size();
  for (const store::Tag& tag : session.tags) bytes += tag.key.size() + tag.value.size();
  return bytes;
}

Error InvalidToken() {
  return {ErrorCode::kUnrecognizedClientException,
          "The security token included in the request is invalid.",
          {}};
}

Caller WithGroups(const View& view, UserPtr user) {
  Caller caller;
  if (!user->row.groups.empty()) {
    caller.identity = user->policies;
    for (const std::string& name : user->row.groups) {
      if (const GroupPtr group = view.FindGroup(user->row.account, name)) {
        caller.identity.insert(caller.identity.end(), group->policies.begin(),
                               group->policies.end());
      }
    }
  }
  caller.user = std::move(user);
  return caller;
}

}  // namespace

void NewSessionCredentials(Session& session, RandomSource& random) {
  constexpr std::size_t kIdCharacters = 16;
  constexpr std::size_t kSecretBytes = 30;
  session.access_key_id = "ASIA";
  RandomBase32(random, kIdCharacters, session.access_key_id);
  SecretBytes bytes(kSecretBytes);
  random.Fill(bytes.reveal_mutable());
  std::string text = Base64Encode(bytes.reveal());
  session.secret = SecretBytes::CopyOf(AsBytes(text));
  WipeMemory(text.data(), text.size());
}

int PackedPercent(const Session& session) {
  const std::size_t bytes = PackedBytes(session);
  return static_cast<int>((bytes * 100 + kSessionPackedMax - 1) / kSessionPackedMax);
}

Result<std::string> SealSession(const Keyring& keyring, const Session& session,
                                RandomSource& random) {
  if (PackedBytes(session) > kSessionPackedMax) {
    return Fail(ErrorCode::kLimitExceededException,
                "Packed size of session tags and session policy is too large.");
  }
  FieldWriter fields;
  fields.Add({&kFormat, 1});
  for (const std::string* text :
       {&session.access_key_id, &session.user, &session.user_id, &session.role, &session.role_id,
        &session.name, &session.arn, &session.issuer, &session.source_identity,
        &session.policy_text}) {
    fields.Add(*text);
  }
  fields.Add(session.account.text());
  fields.Add(AsText(session.secret.reveal()));
  fields.AddNumber(ToEpochMillis(session.issued));
  fields.AddNumber(ToEpochMillis(session.expires));
  fields.AddNumber(static_cast<std::int64_t>(session.tags.size()));
  for (const store::Tag& tag : session.tags) {
    fields.Add(tag.key);
    fields.Add(tag.value);
  }
  for (const std::string& key : session.transitive_tags) fields.Add(key);
  const Bytes sealed = keyring.SealToken(kPurpose, fields.bytes(), random);
  WipeMemory(fields.bytes().data(), fields.bytes().size());
  return Base64Encode(sealed);
}

Result<SessionPtr> OpenSession(const Keyring& keyring, std::string_view token) {
  const auto sealed = Base64Decode(token);
  if (!sealed) return Fail(InvalidToken());
  const auto opened = keyring.OpenToken(kPurpose, *sealed);
  if (!opened) return Fail(InvalidToken());
  FieldReader fields(opened->reveal());
  auto session = std::make_shared<Session>();
  const bool known = fields.Take() == std::string_view(&kFormat, 1);
  for (std::string* text : {&session->access_key_id, &session->user, &session->user_id,
                            &session->role, &session->role_id, &session->name, &session->arn,
                            &session->issuer, &session->source_identity, &session->policy_text}) {
    *text = fields.Take();
  }
  const auto account = model::AccountId::Parse(fields.Take());
  session->secret = SecretBytes::CopyOf(AsBytes(fields.Take()));
  session->issued = FromEpochMillis(fields.TakeNumber());
  session->expires = FromEpochMillis(fields.TakeNumber());
  for (std::int64_t left = fields.TakeNumber(); left > 0 && fields.ok(); --left) {
    std::string key = fields.TakeText();
    session->tags.push_back({std::move(key), fields.TakeText()});
  }
  while (fields.ok() && !fields.Done()) session->transitive_tags.push_back(fields.TakeText());
  if (!known || !account || !fields.Done()) return Fail(InvalidToken());
  session->account = *account;
  if (!session->policy_text.empty()) {
    KT_ASSIGN(session->policy,
              policy::Compile(session->policy_text, policy::Kind::kIdentityPolicy));
  }
  return SessionPtr(std::move(session));
}

Result<Caller> CallerOf(const View& view, const SessionPtr& session) {
  if (session->role.empty()) {
    UserPtr user = view.FindUser(session->account, session->user);
    if (!user || user->row.user_id != session->user_id) return Fail(InvalidToken());
    Caller caller = WithGroups(view, std::move(user));
    caller.session = session;
    return caller;
  }
  RolePtr role = view.FindRole(session->account, session->role);
  if (!role || role->row.role_id != session->role_id) return Fail(InvalidToken());
  Caller caller;
  caller.role = std::move(role);
  caller.session = session;
  return caller;
}

Result<Caller> CallerOf(const View& view, const AccessKeyPtr& access_key) {
  UserPtr user = view.FindUser(access_key->row.account, access_key->row.user);
  if (!user) return Fail(InvalidToken());
  Caller caller = WithGroups(view, std::move(user));
  caller.access_key = access_key;
  return caller;
}

}  // namespace keyturn::service
