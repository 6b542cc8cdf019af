#include "model/arn.h"

#include <fmt/format.h>

namespace keyturn::model {

std::optional<Arn> Arn::Parse(std::string_view text) {
  std::string_view parts[5];
  for (auto& part : parts) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) {
      return std::nullopt;
    }
    part = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  if (parts[0] != "arn" || parts[1].empty() || parts[2].empty() || text.empty()) {
    return std::nullopt;
  }
  return Arn{parts[1], parts[2], parts[3], parts[4], text};
}

std::string_view WithoutPartition(std::string_view arn) {
  constexpr std::string_view kArn = "arn:";
  const std::size_t colon = arn.starts_with(kArn) ? arn.find(':', kArn.size()) : arn.npos;
  return colon == arn.npos ? arn : arn.substr(colon + 1);
}

std::string KeyArn(Region region, const AccountId& account, const KeyId& id) {
  std::string arn;
  arn.reserve(96);
  arn.append("arn:").append(region.partition()).append(":kms:").append(region.name());
  arn.append(":").append(account.text()).append(":key/").append(id.text());
  return arn;
}

std::string AliasArn(Region region, const AccountId& account, std::string_view alias_name) {
  return fmt::format("arn:{}:kms:{}:{}:{}", region.partition(), region.name(), account.text(),
                     alias_name);
}

std::string RootArn(std::string_view partition, const AccountId& account) {
  std::string arn;
  arn.reserve(48);
  arn.append("arn:").append(partition).append(":iam::").append(account.text()).append(":root");
  return arn;
}

std::string UserArn(std::string_view partition, const AccountId& account, std::string_view name) {
  return fmt::format("arn:{}:iam::{}:user/{}", partition, account.text(), name);
}

}  // namespace keyturn::model
