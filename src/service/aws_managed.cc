#include "service/aws_managed.h"

#include <algorithm>

#include "base/check.h"
#include "model/arn.h"
#include "service/access.h"
#include "service/create_key.h"

namespace keyturn::service {
namespace {

constexpr std::string_view kPredefined[] = {
    "alias/aws/acm",
    "alias/aws/backup",
    "alias/aws/codecommit",
    "alias/aws/connect",
    "alias/aws/dax",
    "alias/aws/dms",
    "alias/aws/dynamodb",
    "alias/aws/ebs",
    "alias/aws/elasticfilesystem",
    "alias/aws/es",
    "alias/aws/fsx",
    "alias/aws/glue",
    "alias/aws/kinesis",
    "alias/aws/kinesisvideo",
    "alias/aws/lambda",
    "alias/aws/rds",
    "alias/aws/redshift",
    "alias/aws/s3",
    "alias/aws/secretsmanager",
    "alias/aws/ses",
    "alias/aws/sns",
    "alias/aws/sqs",
    "alias/aws/ssm",
    "alias/aws/workspaces",
    "alias/aws/xray",
};
static_assert(std::is_sorted(std::begin(kPredefined), std::end(kPredefined)));

}  // namespace

std::span<const std::string_view> PredefinedAliases() { return kPredefined; }

std::optional<std::string> MissingAwsManagedKey(const Environment& environment,
                                                const model::AccountId& account,
                                                model::Region region, std::string_view key_id) {
  std::string name(key_id);
  if (key_id.starts_with("arn:")) {
    const auto arn = model::Arn::Parse(key_id);
    if (!arn || arn->service != "kms" || arn->account != account.text() ||
        arn->region != region.name()) {
      return std::nullopt;
    }
    name = arn->resource;
  }
  if (!std::binary_search(std::begin(kPredefined), std::end(kPredefined), name) ||
      environment.tables.FindAlias(account, region, name)) {
    return std::nullopt;
  }
  return name;
}

Status MakeAwsManagedKey(Call& call, const std::string& alias, std::string_view action) {
  // Another caller may have been first.
  if (call.view.FindAlias(call.account(), call.region, alias)) return {};
  KT_ASSIGN(const keys::Key key, AddAwsManagedKey(*call.txn, call.environment, call.account(),
                                                  call.region, alias, call.now));
  const KeyPtr made = call.view.FindKey(key.region, key.id);
  KT_CHECK(made);
  Status allowed = AuthorizeKey(call, action, *made);
  if (!allowed) call.txn->Discard();
  return allowed;
}

}  // namespace keyturn::service
