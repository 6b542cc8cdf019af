#include "api/ops/list_resource_tags.h"

#include <algorithm>

#include "service/ops/common.h"

namespace keyturn::service {

template <>
Result<api::ListResourceTagsResponse> Handle<api::op::ListResourceTags>(
    Call& call, const api::ListResourceTagsRequest& request) {
  constexpr std::size_t kLimitDefault = 50;
  const KeyEntry& entry = call.key();
  const std::string scope = "ListResourceTags " + std::string(entry.key.id.text());
  KT_ASSIGN(const Page page, ReadPage(call, scope, request.marker, request.limit, kLimitDefault));
  std::vector<store::Tag> sorted = entry.tags;
  std::sort(sorted.begin(), sorted.end(),
            [](const store::Tag& a, const store::Tag& b) { return a.key < b.key; });
  api::ListResourceTagsResponse response;
  response.truncated = false;
  auto& tags = response.tags.emplace();
  for (const store::Tag& tag : sorted) {
    if (!page.after.empty() && tag.key <= page.after) continue;
    if (tags.size() == page.limit) {
      response.truncated = true;
      response.next_marker = MakeMarker(call, scope, tags.back().tag_key);
      break;
    }
    tags.push_back({tag.key, tag.value});
  }
  return response;
}

}  // namespace keyturn::service
