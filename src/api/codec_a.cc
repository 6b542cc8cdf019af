// Codec instances, CancelKeyDeletion to DisableKey.
#include "api/codec_impl.h"

namespace keyturn::api {

#define KEYTURN_CODEC_INSTANCE(name)                                                  \
  template Result<name##Request> DecodeRequest<name##Request>(json::Value);           \
  template void EncodeMembers<name##Request>(const name##Request&, std::string&);     \
  template void EncodeMembers<name##Response>(const name##Response&, std::string&);   \
  template bool AppendTrailObject<name##Request>(const name##Request&, std::string&); \
  template bool AppendTrailObject<name##Response>(const name##Response&, std::string&);

// clang-format off
KEYTURN_CODEC_INSTANCE(CancelKeyDeletion)
KEYTURN_CODEC_INSTANCE(ConnectCustomKeyStore)
KEYTURN_CODEC_INSTANCE(CreateAlias)
KEYTURN_CODEC_INSTANCE(CreateCustomKeyStore)
KEYTURN_CODEC_INSTANCE(CreateGrant)
KEYTURN_CODEC_INSTANCE(CreateKey)
KEYTURN_CODEC_INSTANCE(Decrypt)
KEYTURN_CODEC_INSTANCE(DeleteAlias)
KEYTURN_CODEC_INSTANCE(DeleteCustomKeyStore)
KEYTURN_CODEC_INSTANCE(DeleteImportedKeyMaterial)
KEYTURN_CODEC_INSTANCE(DeriveSharedSecret)
KEYTURN_CODEC_INSTANCE(DescribeCustomKeyStores)
KEYTURN_CODEC_INSTANCE(DescribeKey)
KEYTURN_CODEC_INSTANCE(DisableKey)
// clang-format on

#undef KEYTURN_CODEC_INSTANCE

}  // namespace keyturn::api
