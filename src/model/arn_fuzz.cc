// ARN, region, account, key and material ids: no crash on any text, and whatever is accepted is
// spelled back as it was.
#include <string>

#include "base/check.h"
#include "model/arn.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keyturn;
  using namespace keyturn::model;
  const std::string_view text = AsText({data, size});
  if (const auto arn = Arn::Parse(text)) {
    KT_CHECK(!arn->partition.empty() && !arn->service.empty() && !arn->resource.empty());
    std::string joined = "arn";
    for (const std::string_view part :
         {arn->partition, arn->service, arn->region, arn->account, arn->resource}) {
      joined.append(":").append(part);
    }
    KT_CHECK(joined == text);
    if (const auto account = AccountId::Parse(arn->account)) {
      KT_CHECK(account->text() == arn->account);
    }
    if (arn->resource.starts_with("key/")) {
      if (const auto id = KeyId::Parse(arn->resource.substr(4))) {
        KT_CHECK(id->text() == arn->resource.substr(4));
      }
    }
  }
  if (const auto id = KeyId::Parse(text)) {
    KT_CHECK(id->text() == text && text.size() == 36);
  }
  if (const auto account = AccountId::Parse(text)) {
    KT_CHECK(account->text() == text && text.size() == 12);
  }
  if (const auto material = MaterialId::ParseHex(text)) {
    KT_CHECK(material->hex() == text);
  }
  // Intern keeps what it takes, up to its limit: a valid name may be refused, an invalid one may
  // not be accepted.
  KT_CHECK(!PartitionOf(text).empty());
  if (const auto region = Region::Intern(text)) {
    KT_CHECK(Region::IsValid(text) && region->name() == text && !region->empty());
    KT_CHECK(region->partition() == PartitionOf(text));
    KT_CHECK(Region::Intern(text) == region);
  }
  return 0;
}
