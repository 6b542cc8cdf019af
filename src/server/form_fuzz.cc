// Form: no crash on any body; what it takes can be asked for.
#include "base/bytes.h"
#include "base/check.h"
#include "json/json.h"
#include "server/form.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keyturn;
  const auto form = server::Form::Parse(AsText({data, size}));
  if (!form) {
    KT_CHECK(!form.error().message.empty());
    return 0;
  }
  KT_CHECK(form->List("Tags").size() <= server::Form::kFieldsMax);
  KT_CHECK(form->Pairs("Tags").size() <= server::Form::kFieldsMax);
  KT_CHECK(json::IsUtf8(form->Get("Action")));
  (void)form->HasUnder("PolicyArns.");
  return 0;
}
