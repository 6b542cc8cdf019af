// Do deletions see what other changes of the same commit have made?
#include <gtest/gtest.h>

#include <future>

#include "json/json.h"
#include "server/admin_principals.h"
#include "server/apply_access.h"
#include "service/access_keys.h"
#include "service/principals.h"
#include "service/service_fault_test.h"

namespace keyturn::server {
namespace {

using service::Call;
using service::Txn;

class AdminBatch : public service::ServiceFault {
 protected:
  using Work = std::function<Status(Call&)>;

  void SetUp() override {
    ServiceFault::SetUp();
    store::UserRow row;
    row.name = "caller";
    row.user_id = "AIDACALLER";
    caller_.user = *service::MakeUser(std::move(row));
  }

  // RunTogether runs works as jobs of one commit.
  void RunTogether(const std::vector<Work>& works) {
    std::promise<void> queued;
    writer_->Submit(
        [&](Txn&) -> Status {
          queued.get_future().wait();  // so that all others wait when the next batch is taken
          return {};
        },
        [](const Status&) {});
    std::vector<std::future<Status>> done;
    for (const Work& work : works) {
      auto promise = std::make_shared<std::promise<Status>>();
      done.push_back(promise->get_future());
      writer_->Submit(
          [this, &work](Txn& txn) -> Status {
            Call call{*environment_, caller_, *model::Region::Intern("us-east-1"),
                      kStart,        txn,     &txn};
            return work(call);
          },
          [promise](Status status) { promise->set_value(std::move(status)); });
    }
    queued.set_value();
    for (auto& each : done) {
      const Status status = each.get();
      EXPECT_TRUE(status) << status.error().message;
    }
  }

  // MakeEve makes a user with an access key.
  Work MakeEve() {
    return [this](Call& call) -> Status {
      store::UserRow row;
      row.name = "eve";
      row.user_id = "AIDAEVE";
      KT_ASSIGN(auto user, service::MakeUser(std::move(row)));
      call.txn->PutUser(std::move(user));
      auto made =
          service::MakeAccessKey(environment_->keyring, {}, "eve", kStart, environment_->random);
      auto access_key = std::make_shared<service::AccessKey>();
      access_key->row = std::move(made.row);
      access_key->secret = std::move(made.secret);
      access_key_id_ = access_key->row.id;
      call.txn->PutAccessKey(std::move(access_key));
      return {};
    };
  }

  service::Caller caller_;
  std::string access_key_id_;
};

TEST_F(AdminBatch, AnAccessKeyGoesWithItsUser) {
  RunTogether({MakeEve(), [](Call& call) -> Status {
                 call.txn->DeleteUser(call.view.FindUser({}, "eve"),
                                      call.view.ListAccessKeys({}, "eve"));
                 return {};
               }});
  EXPECT_FALSE(service_->tables().FindUser({}, "eve"));
  EXPECT_FALSE(service_->tables().FindAccessKey(access_key_id_));
  Open();
  EXPECT_FALSE(service_->tables().FindAccessKey(access_key_id_));
}

TEST_F(AdminBatch, PruningTakesWhatTheSameCommitHasMade) {
  RunTogether(
      {MakeEve(), [](Call& call) { return CreateGroup(call, {.group = "staff"}); },
       [](Call& call) -> Status {
         json::Parser parser(json::Limits{.bytes_max = 1000, .depth_max = 24});
         KT_ASSIGN(const auto document,
                   parser.Parse(R"({"accounts":{"000000000000":{"users":{},"groups":{}}}})"));
         KT_ASSIGN(const auto changes,
                   StageAccess(call, document, true, [](const model::AccountId&) { return true; }));
         EXPECT_EQ(changes.size(), 3U);  // the administrator, eve, staff
         return {};
       }});
  EXPECT_TRUE(service_->tables().ListUsers({}).empty());
  EXPECT_TRUE(service_->tables().ListGroups({}).empty());
  EXPECT_FALSE(service_->tables().FindAccessKey(access_key_id_));
}

TEST_F(AdminBatch, AMembershipGoesWithItsGroup) {
  const AdminNames names{.user = "eve", .group = "staff"};
  RunTogether({MakeEve(), [&](Call& call) { return CreateGroup(call, names); },
               [&](Call& call) { return ChangeMembership(call, names, true); },
               [&](Call& call) { return DeleteGroup(call, names); }});
  const auto eve = service_->tables().FindUser({}, "eve");
  ASSERT_TRUE(eve);
  EXPECT_TRUE(eve->row.groups.empty());
}

}  // namespace
}  // namespace keyturn::server
