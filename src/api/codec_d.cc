// Codec instances, RetireGrant to VerifyMac.
#include "api/codec_impl.h"

namespace keyturn::api {

#define KEYTURN_CODEC_INSTANCE(name)                                                  \
  template Result<name##Request> DecodeRequest<name##Request>(json::Value);           \
  template void EncodeMembers<name##Request>(const name##Request&, std::string&);     \
  template void EncodeMembers<name##Response>(const name##Response&, std::string&);   \
  template bool AppendTrailObject<name##Request>(const name##Request&, std::string&); \
  template bool AppendTrailObject<name##Response>(const name##Response&, std::string&);

// clang-format off
KEYTURN_CODEC_INSTANCE(RetireGrant)
KEYTURN_CODEC_INSTANCE(RevokeGrant)
KEYTURN_CODEC_INSTANCE(RotateKeyOnDemand)
KEYTURN_CODEC_INSTANCE(ScheduleKeyDeletion)
KEYTURN_CODEC_INSTANCE(Sign)
KEYTURN_CODEC_INSTANCE(TagResource)
KEYTURN_CODEC_INSTANCE(UntagResource)
KEYTURN_CODEC_INSTANCE(UpdateAlias)
KEYTURN_CODEC_INSTANCE(UpdateCustomKeyStore)
KEYTURN_CODEC_INSTANCE(UpdateKeyDescription)
KEYTURN_CODEC_INSTANCE(UpdatePrimaryRegion)
KEYTURN_CODEC_INSTANCE(Verify)
KEYTURN_CODEC_INSTANCE(VerifyMac)
// clang-format on

#undef KEYTURN_CODEC_INSTANCE

}  // namespace keyturn::api
