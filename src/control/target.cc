#include "control/target.h"

namespace keyturn::control {

std::string TargetName(const Target& target) {
  std::string name = target.account.empty() ? target.caller : "account " + target.account;
  if (!target.endpoint_url.empty()) name += (name.empty() ? "" : " at ") + target.endpoint_url;
  return name.empty() ? "AWS" : name;
}

}  // namespace keyturn::control
