// Codec instances, DisableKeyRotation to GetKeyRotationStatus.
#include "api/codec_impl.h"

namespace keyturn::api {

#define KEYTURN_CODEC_INSTANCE(name)                                                  \
  template Result<name##Request> DecodeRequest<name##Request>(json::Value);           \
  template void EncodeMembers<name##Request>(const name##Request&, std::string&);     \
  template void EncodeMembers<name##Response>(const name##Response&, std::string&);   \
  template bool AppendTrailObject<name##Request>(const name##Request&, std::string&); \
  template bool AppendTrailObject<name##Response>(const name##Response&, std::string&);

// clang-format off
KEYTURN_CODEC_INSTANCE(DisableKeyRotation)
KEYTURN_CODEC_INSTANCE(DisconnectCustomKeyStore)
KEYTURN_CODEC_INSTANCE(EnableKey)
KEYTURN_CODEC_INSTANCE(EnableKeyRotation)
KEYTURN_CODEC_INSTANCE(Encrypt)
KEYTURN_CODEC_INSTANCE(GenerateDataKey)
KEYTURN_CODEC_INSTANCE(GenerateDataKeyPair)
KEYTURN_CODEC_INSTANCE(GenerateDataKeyPairWithoutPlaintext)
KEYTURN_CODEC_INSTANCE(GenerateDataKeyWithoutPlaintext)
KEYTURN_CODEC_INSTANCE(GenerateMac)
KEYTURN_CODEC_INSTANCE(GenerateRandom)
KEYTURN_CODEC_INSTANCE(GetKeyLastUsage)
KEYTURN_CODEC_INSTANCE(GetKeyPolicy)
KEYTURN_CODEC_INSTANCE(GetKeyRotationStatus)
// clang-format on

#undef KEYTURN_CODEC_INSTANCE

}  // namespace keyturn::api
