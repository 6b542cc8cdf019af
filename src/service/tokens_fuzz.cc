// What clients hand back to us: page markers and import tokens. A marker that we did not make is
// never accepted, and one that we made is read as it was; an import token's content is read or
// refused.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "service/import_token.h"
#include "service/markers.h"

namespace {

using namespace keyturn;

class Zeros final : public RandomSource {
 public:
  void Fill(MutableByteView out) override {
    for (auto& byte : out) byte = 0;
  }
};

class NoStore final : public store::Store {
 public:
  Status Load(const store::Visitors& /*visitors*/) override { return {}; }
  Status Commit(std::span<const store::Change> /*changes*/) override { return {}; }
  Result<store::MaterialRow> ReadMaterial(const store::MaterialRef& /*ref*/) override {
    return Fail(ErrorCode::kNotFound);
  }
  Result<std::optional<Bytes>> ReadMeta(const std::string& /*key*/) override {
    return std::optional<Bytes>();
  }
  Result<std::vector<store::NotificationRow>> ReadNotifications(std::size_t /*limit*/) override {
    return std::vector<store::NotificationRow>();
  }
};

struct World {
  ManualClock clock{FromEpochMillis(1'800'000'000'000)};
  Zeros random;
  service::Keyring keyring = service::Keyring::Create(random);
  NoStore store;
  service::Tables tables;
  service::PolicyPool policies;
  service::Environment environment{clock, random, keyring, store, tables, policies};
  service::Caller caller;
  World() {
    auto user = std::make_shared<service::User>();
    user->row.account = *model::AccountId::Parse("111122223333");
    caller.user = std::move(user);
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  const service::Call call{world.environment, world.caller, *model::Region::Intern("us-east-1"),
                           world.clock.Now(), world.tables};
  const ByteView input(data, size);
  const std::string text(AsText(input));
  KT_CHECK(!service::ReadPage(call, "ListKeys", text, std::nullopt, 100));
  if (size > 0) {
    const std::string marker = service::MakeMarker(call, "ListKeys", text);
    const auto page = service::ReadPage(call, "ListKeys", marker, std::nullopt, 100);
    KT_CHECK(page && page->after == text);
    KT_CHECK(!service::ReadPage(call, "ListAliases", marker, std::nullopt, 100));
  }
  if (const auto token = service::DecodeImportToken(input)) {
    (void)crypto::Unwrap(token->private_key.reveal(), token->algorithm, input);
  }
  return 0;
}
