// Exceptions file: no crash on any input; what is taken has every mandatory field, and an error
// names the file.
#include "base/bytes.h"
#include "base/check.h"
#include "control/exceptions.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using keyturn::control::Exception;
  const auto list = keyturn::control::ParseExceptions(keyturn::AsText({data, size}), "file");
  if (!list) {
    KT_CHECK(list.error().message.starts_with("file:"));
    return 0;
  }
  for (const Exception& entry : list->entries) {
    KT_CHECK(!entry.id.empty() && !entry.owner.empty() && !entry.approver.empty());
    KT_CHECK(!entry.ticket.empty() && !entry.reason.empty() && entry.line > 0);
    KT_CHECK(!keyturn::control::DescribeMatch(entry.match).empty());
  }
  return 0;
}
