#include "control/key_pages.h"

#include <algorithm>
#include <iterator>

namespace keyturn::control {
namespace {

using client::CallResult;

constexpr int kTagPagesMax = 50;  // of one tag, all that a key can have
constexpr int kRotationPagesMax = 10;

CallFailure EndlessFailure(const char* operation) {
  return {operation, std::string(client::kMalformedAnswer), "does not end", {}};
}

}  // namespace

void KeyPages::ReadRotationPage(KeyFacts& facts, const Call& call, std::string_view marker,
                                int page) {
  call("ListKeyRotations", PageBody(1000, marker, facts.key_id),
       [this, &facts, call, page](const CallResult& result) {
         if (!result) {
           facts.rotations_failure = FailureOf("ListKeyRotations", result.error());
           return;
         }
         const auto next = answers_.ListKeyRotations(result->body, facts);
         if (!next) {
           facts.rotations_failure = FailureOf("ListKeyRotations", next.error());
         } else if (next->empty()) {
           facts.rotations_read = true;
         } else if (page < kRotationPagesMax) {
           ReadRotationPage(facts, call, *next, page + 1);
         } else {
           facts.rotations_failure = EndlessFailure("ListKeyRotations");
         }
       });
}

void KeyPages::ReadTagPage(KeyFacts& facts, const Call& call, std::string_view marker, int page) {
  call("ListResourceTags", PageBody(50, marker, facts.key_id),
       [this, &facts, call, page](const CallResult& result) {
         if (!result) {
           facts.tags_failure = FailureOf("ListResourceTags", result.error());
           return;
         }
         auto tags = answers_.ListResourceTags(result->body);
         if (!tags) {
           facts.tags_failure = FailureOf("ListResourceTags", tags.error());
           return;
         }
         std::move(tags->items.begin(), tags->items.end(), std::back_inserter(facts.tags));
         if (tags->next_marker.empty()) return;
         if (page < kTagPagesMax) {
           ReadTagPage(facts, call, tags->next_marker, page + 1);
         } else {
           facts.tags_failure = EndlessFailure("ListResourceTags");
         }
       });
}

}  // namespace keyturn::control
