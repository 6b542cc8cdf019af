#include "api/ops/list_keys.h"

#include "service/ops/common.h"

namespace keyturn::service {

template <>
Result<api::ListKeysResponse> Handle<api::op::ListKeys>(Call& call,
                                                        const api::ListKeysRequest& request) {
  constexpr std::size_t kLimitDefault = 100;
  KT_ASSIGN(const Page page,
            ReadPage(call, "ListKeys", request.marker, request.limit, kLimitDefault));
  auto ids =
      call.environment.tables.ListKeys(call.account(), call.region, page.after, page.limit + 1);
  api::ListKeysResponse response;
  response.truncated = ids.size() > page.limit;
  if (*response.truncated) {
    ids.resize(page.limit);
    response.next_marker = MakeMarker(call, "ListKeys", ids.back().text());
  }
  auto& keys = response.keys.emplace();
  keys.reserve(ids.size());
  for (const model::KeyId& id : ids) {
    keys.push_back({.key_id = std::string(id.text()),
                    .key_arn = model::KeyArn(call.region, call.account(), id)});
  }
  return response;
}

}  // namespace keyturn::service
