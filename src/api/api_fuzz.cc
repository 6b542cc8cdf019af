// Requests: no crash on any JSON, for any operation; what decodes can be shown in the trail.
#include "api/codec.h"

namespace {

template <typename Request>
void Try(keyturn::json::Value value) {
  const auto request = keyturn::api::DecodeRequest<Request>(value);
  if (!request) return;
  std::string text;
  keyturn::api::AppendTrailObject(*request, text);
  keyturn::api::EncodeMembers(*request, text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static keyturn::json::Parser parser;
  const auto value = parser.Parse(keyturn::AsText({data, size}));
  if (!value) return 0;
#define KEYTURN_TRY(name) Try<keyturn::api::name##Request>(*value);
  KEYTURN_FOR_EACH_OPERATION(KEYTURN_TRY)
#undef KEYTURN_TRY
  return 0;
}
