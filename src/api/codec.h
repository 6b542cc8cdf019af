// Codec: between JSON and the structures of the operations, driven by their tables.
//
// The templates are instantiated in codec_*.cc for every operation, so that users of this header
// compile fast. Thread-safety: free functions are.
// Source: KMS API model 2014-11-01; texts as AWS answers them (docs/compatibility.md names those
// that no recording confirms).
#pragma once

#include <string>

#include "api/operations.h"
#include "base/error.h"
#include "json/json.h"

namespace keyturn::api {

// DecodeRequest fails with kSerializationException for JSON of the wrong types, and with
// kValidationException listing every member that breaks a constraint of the model. Unknown members
// are ignored; null is absent.
template <typename Request>
Result<Request> DecodeRequest(json::Value body);

// EncodeMembers appends value as a JSON object; absent members are left out.
template <typename Shape>
void EncodeMembers(const Shape& value, std::string& out);

// AppendTrailObject appends the object that the trail shows for a request or response: names in
// lower camel case, never-logged members left out, dates as the trail writes them. Appends nothing
// and returns false when no member is left.
template <typename Shape>
bool AppendTrailObject(const Shape& value, std::string& out);

#define KEYTURN_CODEC(name)                                                                  \
  extern template Result<name##Request> DecodeRequest<name##Request>(json::Value);           \
  extern template void EncodeMembers<name##Request>(const name##Request&, std::string&);     \
  extern template void EncodeMembers<name##Response>(const name##Response&, std::string&);   \
  extern template bool AppendTrailObject<name##Request>(const name##Request&, std::string&); \
  extern template bool AppendTrailObject<name##Response>(const name##Response&, std::string&);
KEYTURN_FOR_EACH_OPERATION(KEYTURN_CODEC)
#undef KEYTURN_CODEC

}  // namespace keyturn::api
