#include "api/operation.h"

#include <algorithm>
#include <array>

#include "api/operations.h"

namespace keyturn::api {
namespace {

#define KEYTURN_INFO(name) op::name::kInfo,
constexpr std::array kTable = {KEYTURN_FOR_EACH_OPERATION(KEYTURN_INFO)};
#undef KEYTURN_INFO

static_assert(kTable.size() == kOperationCount);
static_assert([] {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].operation) != i ||
        (i > 0 && kTable[i - 1].name >= kTable[i].name)) {
      return false;
    }
  }
  return true;
}());

}  // namespace

const OperationInfo& Info(Operation operation) {
  return kTable[static_cast<std::size_t>(operation)];
}

std::optional<Operation> FindOperation(std::string_view name) {
  const auto* const found = std::lower_bound(
      kTable.begin(), kTable.end(), name,
      [](const OperationInfo& info, std::string_view wanted) { return info.name < wanted; });
  if (found == kTable.end() || found->name != name) {
    return std::nullopt;
  }
  return found->operation;
}

std::span<const OperationInfo> AllOperations() { return kTable; }

}  // namespace keyturn::api
