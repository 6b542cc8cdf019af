#include "service/principals.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "model/arn.h"

namespace keyturn::service {
namespace {

constexpr std::size_t kNameCharactersMax = 64;
constexpr std::size_t kPathCharactersMax = 512;
constexpr std::string_view kNameCharacters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+=,.@_-";

Result<std::vector<policy::PolicyPtr>> CompileAll(const std::vector<store::NamedPolicy>& policies) {
  std::vector<policy::PolicyPtr> compiled;
  for (const store::NamedPolicy& policy : policies) {
    KT_ASSIGN(policy::PolicyPtr one, policy::Compile(policy.text, policy::Kind::kIdentityPolicy));
    compiled.push_back(std::move(one));
  }
  return compiled;
}

Result<policy::PolicyPtr> CompileBoundary(const std::optional<store::NamedPolicy>& boundary) {
  if (!boundary) return policy::PolicyPtr();
  return policy::Compile(boundary->text, policy::Kind::kIdentityPolicy);
}

}  // namespace

void RandomBase32(RandomSource& random, std::size_t count, std::string& out) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::array<std::uint8_t, 32> bytes{};
  random.Fill(MutableByteView(bytes).first(count));
  for (std::size_t i = 0; i < count; ++i) out += kAlphabet[bytes[i] & 31];
}

std::string NewPrincipalId(std::string_view prefix, RandomSource& random) {
  constexpr std::size_t kRandomCharacters = 17;
  std::string id(prefix);
  RandomBase32(random, kRandomCharacters, id);
  return id;
}

Result<UserPtr> MakeUser(store::UserRow row) {
  auto user = std::make_shared<User>();
  KT_ASSIGN(user->policies, CompileAll(row.policies));
  KT_ASSIGN(user->boundary, CompileBoundary(row.boundary));
  user->arn = model::UserArn("aws", row.account, row.name);
  user->row = std::move(row);
  return UserPtr(std::move(user));
}

Result<GroupPtr> MakeGroup(store::GroupRow row) {
  auto group = std::make_shared<Group>();
  KT_ASSIGN(group->policies, CompileAll(row.policies));
  group->row = std::move(row);
  return GroupPtr(std::move(group));
}

Result<RolePtr> MakeRole(store::RoleRow row) {
  auto role = std::make_shared<Role>();
  KT_ASSIGN(role->trust, policy::Compile(row.trust, policy::Kind::kTrustPolicy));
  KT_ASSIGN(role->policies, CompileAll(row.policies));
  KT_ASSIGN(role->boundary, CompileBoundary(row.boundary));
  role->arn = fmt::format("arn:aws:iam::{}:role{}{}", row.account.text(), row.path, row.name);
  role->row = std::move(row);
  return RolePtr(std::move(role));
}

Status CheckPrincipalName(std::string_view what, std::string_view name) {
  if (name.empty() || name.size() > kNameCharactersMax ||
      name.find_first_not_of(kNameCharacters) != std::string_view::npos) {
    return Fail(
        ErrorCode::kValidationException,
        fmt::format("{} must have 1 to 64 characters of letters, digits and +=,.@_-", what));
  }
  return {};
}

Status CheckRolePath(std::string_view path) {
  const bool fine =
      path == "/" || (path.size() > 2 && path.size() <= kPathCharactersMax && path.front() == '/' &&
                      path.back() == '/' && path.find("//") == std::string_view::npos &&
                      std::all_of(path.begin(), path.end(), [](char c) {
                        return c == '/' || kNameCharacters.find(c) != std::string_view::npos;
                      }));
  if (!fine) {
    return Fail(ErrorCode::kValidationException, "a path must begin and end with a slash");
  }
  return {};
}

}  // namespace keyturn::service
