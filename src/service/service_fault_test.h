// For the fault tests of the service: a store that fails when told to, and a service over one.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "crypto/random.h"
#include "service/create_key.h"
#include "service/service.h"

namespace keyturn::service {

// FaultyStore fails the nth Commit or ReadMaterial call, before it does anything.
class FaultyStore final : public store::Store {
 public:
  explicit FaultyStore(store::Store& real) : real_(real) {}
  void FailAt(int call) { remaining_ = call; }
  bool failed() const { return failed_; }

  Status Load(const store::Visitors& visitors) override { return real_.Load(visitors); }
  Status Commit(std::span<const store::Change> changes) override {
    if (before_commit) before_commit();
    if (Fails()) return Fail(ErrorCode::kIo, "injected");
    return real_.Commit(changes);
  }
  Result<store::MaterialRow> ReadMaterial(const store::MaterialRef& ref) override {
    if (Fails()) return Fail(ErrorCode::kIo, "injected");
    auto row = real_.ReadMaterial(ref);
    if (row && std::exchange(corrupt_, false)) row->sealed.back() ^= 1;
    return row;
  }
  // before_commit: what happens meanwhile, on other threads.
  std::function<void()> before_commit;
  // CorruptNextMaterial: what is read back next is not what was written.
  void CorruptNextMaterial() { corrupt_ = true; }
  Result<std::optional<Bytes>> ReadMeta(const std::string& key) override {
    return real_.ReadMeta(key);
  }
  Result<std::vector<store::NotificationRow>> ReadNotifications(std::size_t limit) override {
    return real_.ReadNotifications(limit);
  }

 private:
  bool Fails() {
    if (remaining_ == 0 || --remaining_ > 0) return false;
    failed_ = true;
    return true;
  }
  store::Store& real_;
  int remaining_ = 0;
  bool failed_ = false;
  bool corrupt_ = false;
};

class ServiceFault : public testing::Test {
 protected:
  inline static const TimePoint kStart = FromEpochMillis(1'800'000'000'000);

  void SetUp() override {
    char name[] = "/tmp/keyturn-fault-XXXXXX";
    directory_ = ::mkdtemp(name);
    InitOptions options;
    options.directory = directory_ / "data";
    ASSERT_TRUE(InitDataDirectory(options, clock_, crypto::SystemRandom()));
    Open();
  }
  void TearDown() override {
    writer_.reset();
    service_.reset();
    std::filesystem::remove_all(directory_);
  }

  // Open opens the directory, with a writer of its own over a store that can fail.
  void Open() {
    writer_.reset();
    environment_.reset();
    service_.reset();
    auto opened = Service::Open({.directory = directory_ / "data", .passphrase = {}}, clock_,
                                crypto::SystemRandom());
    ASSERT_TRUE(opened) << opened.error().message;
    service_ = std::move(*opened);
    const Environment& real = service_->environment();
    faulty_ = std::make_unique<FaultyStore>(real.store);
    environment_ = std::make_unique<Environment>(Environment{
        clock_, real.random, real.keyring, *faulty_, service_->tables(), real.policies});
    writer_ = std::make_unique<Writer>(*faulty_, service_->tables(), service_->trail(),
                                       std::vector<store::TrailRow>{});
  }

  // MakeKey makes a key that is due to rotate.
  void MakeKey(KeyName& name, bool multi_region = false) {
    ASSERT_TRUE(writer_->Run([&](Txn& txn) -> Status {
      keys::Key key;
      key.id = model::KeyId::New(environment_->random, multi_region);
      key.region = *model::Region::Intern("us-east-1");
      key.multi_region = multi_region;
      if (multi_region) key.primary_region = key.region;
      key.rotation = keys::RotationSchedule{Days{365}, kStart};
      KT_ASSIGN(auto policy,
                environment_->policies.Get(policy::DefaultKeyPolicy("aws", key.account)));
      name = {key.region, key.id};
      AddKey(txn, *environment_, key, policy, {}, kStart);
      return {};
    }));
  }

  KeyPtr Find(const KeyName& name) { return service_->tables().FindKey(name.region, name.id); }

  ManualClock clock_{kStart};
  std::filesystem::path directory_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<FaultyStore> faulty_;
  std::unique_ptr<Environment> environment_;
  std::unique_ptr<Writer> writer_;
};

}  // namespace keyturn::service
