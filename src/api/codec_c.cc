// Codec instances, GetParametersForImport to ReplicateKey.
#include "api/codec_impl.h"

namespace keyturn::api {

#define KEYTURN_CODEC_INSTANCE(name)                                                  \
  template Result<name##Request> DecodeRequest<name##Request>(json::Value);           \
  template void EncodeMembers<name##Request>(const name##Request&, std::string&);     \
  template void EncodeMembers<name##Response>(const name##Response&, std::string&);   \
  template bool AppendTrailObject<name##Request>(const name##Request&, std::string&); \
  template bool AppendTrailObject<name##Response>(const name##Response&, std::string&);

// clang-format off
KEYTURN_CODEC_INSTANCE(GetParametersForImport)
KEYTURN_CODEC_INSTANCE(GetPublicKey)
KEYTURN_CODEC_INSTANCE(ImportKeyMaterial)
KEYTURN_CODEC_INSTANCE(ListAliases)
KEYTURN_CODEC_INSTANCE(ListGrants)
KEYTURN_CODEC_INSTANCE(ListKeyPolicies)
KEYTURN_CODEC_INSTANCE(ListKeyRotations)
KEYTURN_CODEC_INSTANCE(ListKeys)
KEYTURN_CODEC_INSTANCE(ListResourceTags)
KEYTURN_CODEC_INSTANCE(ListRetirableGrants)
KEYTURN_CODEC_INSTANCE(PutKeyPolicy)
KEYTURN_CODEC_INSTANCE(ReEncrypt)
KEYTURN_CODEC_INSTANCE(ReplicateKey)
// clang-format on

#undef KEYTURN_CODEC_INSTANCE

}  // namespace keyturn::api
