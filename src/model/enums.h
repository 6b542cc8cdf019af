// Enums: the closed value sets of the KMS API, with their wire names.
//
// For each enum E: `constexpr std::span<const EnumName<E>> EnumNames<E>()` in model order,
// ToWire(value) and FromWire<E>(text). CustomerMasterKeySpec has no enum of its own: it is KeySpec
// under its deprecated name.
// Source: KMS API model 2014-11-01.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace keyturn::model {

template <typename E>
struct EnumName {
  E value;
  std::string_view wire;
};

// EnumTable<E>::kNames lists every value once, in model order.
template <typename E>
struct EnumTable;

template <typename E>
constexpr std::string_view ToWire(E value) {
  for (const auto& entry : EnumTable<E>::kNames) {
    if (entry.value == value) {
      return entry.wire;
    }
  }
  return "?";
}

template <typename E>
constexpr std::optional<E> FromWire(std::string_view wire) {
  for (const auto& entry : EnumTable<E>::kNames) {
    if (entry.wire == wire) {
      return entry.value;
    }
  }
  return std::nullopt;
}

enum class AlgorithmSpec : std::uint8_t {
  kRsaesPkcs1V15,
  kRsaesOaepSha1,
  kRsaesOaepSha256,
  kRsaAesKeyWrapSha1,
  kRsaAesKeyWrapSha256,
  kSm2pke,
};

template <>
struct EnumTable<AlgorithmSpec> {
  static constexpr EnumName<AlgorithmSpec> kNames[] = {
      {AlgorithmSpec::kRsaesPkcs1V15, "RSAES_PKCS1_V1_5"},
      {AlgorithmSpec::kRsaesOaepSha1, "RSAES_OAEP_SHA_1"},
      {AlgorithmSpec::kRsaesOaepSha256, "RSAES_OAEP_SHA_256"},
      {AlgorithmSpec::kRsaAesKeyWrapSha1, "RSA_AES_KEY_WRAP_SHA_1"},
      {AlgorithmSpec::kRsaAesKeyWrapSha256, "RSA_AES_KEY_WRAP_SHA_256"},
      {AlgorithmSpec::kSm2pke, "SM2PKE"},
  };
};

enum class ConnectionErrorCodeType : std::uint8_t {
  kInvalidCredentials,
  kClusterNotFound,
  kNetworkErrors,
  kInternalError,
  kInsufficientCloudhsmHsms,
  kUserLockedOut,
  kUserNotFound,
  kUserLoggedIn,
  kSubnetNotFound,
  kInsufficientFreeAddressesInSubnet,
  kXksProxyAccessDenied,
  kXksProxyNotReachable,
  kXksVpcEndpointServiceNotFound,
  kXksProxyInvalidResponse,
  kXksProxyInvalidConfiguration,
  kXksVpcEndpointServiceInvalidConfiguration,
  kXksProxyTimedOut,
  kXksProxyInvalidTlsConfiguration,
};

template <>
struct EnumTable<ConnectionErrorCodeType> {
  static constexpr EnumName<ConnectionErrorCodeType> kNames[] = {
      {ConnectionErrorCodeType::kInvalidCredentials, "INVALID_CREDENTIALS"},
      {ConnectionErrorCodeType::kClusterNotFound, "CLUSTER_NOT_FOUND"},
      {ConnectionErrorCodeType::kNetworkErrors, "NETWORK_ERRORS"},
      {ConnectionErrorCodeType::kInternalError, "INTERNAL_ERROR"},
      {ConnectionErrorCodeType::kInsufficientCloudhsmHsms, "INSUFFICIENT_CLOUDHSM_HSMS"},
      {ConnectionErrorCodeType::kUserLockedOut, "USER_LOCKED_OUT"},
      {ConnectionErrorCodeType::kUserNotFound, "USER_NOT_FOUND"},
      {ConnectionErrorCodeType::kUserLoggedIn, "USER_LOGGED_IN"},
      {ConnectionErrorCodeType::kSubnetNotFound, "SUBNET_NOT_FOUND"},
      {ConnectionErrorCodeType::kInsufficientFreeAddressesInSubnet,
       "INSUFFICIENT_FREE_ADDRESSES_IN_SUBNET"},
      {ConnectionErrorCodeType::kXksProxyAccessDenied, "XKS_PROXY_ACCESS_DENIED"},
      {ConnectionErrorCodeType::kXksProxyNotReachable, "XKS_PROXY_NOT_REACHABLE"},
      {ConnectionErrorCodeType::kXksVpcEndpointServiceNotFound,
       "XKS_VPC_ENDPOINT_SERVICE_NOT_FOUND"},
      {ConnectionErrorCodeType::kXksProxyInvalidResponse, "XKS_PROXY_INVALID_RESPONSE"},
      {ConnectionErrorCodeType::kXksProxyInvalidConfiguration, "XKS_PROXY_INVALID_CONFIGURATION"},
      {ConnectionErrorCodeType::kXksVpcEndpointServiceInvalidConfiguration,
       "XKS_VPC_ENDPOINT_SERVICE_INVALID_CONFIGURATION"},
      {ConnectionErrorCodeType::kXksProxyTimedOut, "XKS_PROXY_TIMED_OUT"},
      {ConnectionErrorCodeType::kXksProxyInvalidTlsConfiguration,
       "XKS_PROXY_INVALID_TLS_CONFIGURATION"},
  };
};

enum class ConnectionStateType : std::uint8_t {
  kConnected,
  kConnecting,
  kFailed,
  kDisconnected,
  kDisconnecting,
};

template <>
struct EnumTable<ConnectionStateType> {
  static constexpr EnumName<ConnectionStateType> kNames[] = {
      {ConnectionStateType::kConnected, "CONNECTED"},
      {ConnectionStateType::kConnecting, "CONNECTING"},
      {ConnectionStateType::kFailed, "FAILED"},
      {ConnectionStateType::kDisconnected, "DISCONNECTED"},
      {ConnectionStateType::kDisconnecting, "DISCONNECTING"},
  };
};

enum class CustomKeyStoreType : std::uint8_t {
  kAwsCloudhsm,
  kExternalKeyStore,
};

template <>
struct EnumTable<CustomKeyStoreType> {
  static constexpr EnumName<CustomKeyStoreType> kNames[] = {
      {CustomKeyStoreType::kAwsCloudhsm, "AWS_CLOUDHSM"},
      {CustomKeyStoreType::kExternalKeyStore, "EXTERNAL_KEY_STORE"},
  };
};

enum class DataKeyPairSpec : std::uint8_t {
  kRsa2048,
  kRsa3072,
  kRsa4096,
  kEccNistP256,
  kEccNistP384,
  kEccNistP521,
  kEccSecgP256k1,
  kSm2,
  kEccNistEdwards25519,
};

template <>
struct EnumTable<DataKeyPairSpec> {
  static constexpr EnumName<DataKeyPairSpec> kNames[] = {
      {DataKeyPairSpec::kRsa2048, "RSA_2048"},
      {DataKeyPairSpec::kRsa3072, "RSA_3072"},
      {DataKeyPairSpec::kRsa4096, "RSA_4096"},
      {DataKeyPairSpec::kEccNistP256, "ECC_NIST_P256"},
      {DataKeyPairSpec::kEccNistP384, "ECC_NIST_P384"},
      {DataKeyPairSpec::kEccNistP521, "ECC_NIST_P521"},
      {DataKeyPairSpec::kEccSecgP256k1, "ECC_SECG_P256K1"},
      {DataKeyPairSpec::kSm2, "SM2"},
      {DataKeyPairSpec::kEccNistEdwards25519, "ECC_NIST_EDWARDS25519"},
  };
};

enum class DataKeySpec : std::uint8_t {
  kAes256,
  kAes128,
};

template <>
struct EnumTable<DataKeySpec> {
  static constexpr EnumName<DataKeySpec> kNames[] = {
      {DataKeySpec::kAes256, "AES_256"},
      {DataKeySpec::kAes128, "AES_128"},
  };
};

enum class DryRunModifierType : std::uint8_t {
  kIgnoreCiphertext,
};

template <>
struct EnumTable<DryRunModifierType> {
  static constexpr EnumName<DryRunModifierType> kNames[] = {
      {DryRunModifierType::kIgnoreCiphertext, "IGNORE_CIPHERTEXT"},
  };
};

enum class EncryptionAlgorithmSpec : std::uint8_t {
  kSymmetricDefault,
  kRsaesOaepSha1,
  kRsaesOaepSha256,
  kSm2pke,
};

template <>
struct EnumTable<EncryptionAlgorithmSpec> {
  static constexpr EnumName<EncryptionAlgorithmSpec> kNames[] = {
      {EncryptionAlgorithmSpec::kSymmetricDefault, "SYMMETRIC_DEFAULT"},
      {EncryptionAlgorithmSpec::kRsaesOaepSha1, "RSAES_OAEP_SHA_1"},
      {EncryptionAlgorithmSpec::kRsaesOaepSha256, "RSAES_OAEP_SHA_256"},
      {EncryptionAlgorithmSpec::kSm2pke, "SM2PKE"},
  };
};

enum class ExpirationModelType : std::uint8_t {
  kKeyMaterialExpires,
  kKeyMaterialDoesNotExpire,
};

template <>
struct EnumTable<ExpirationModelType> {
  static constexpr EnumName<ExpirationModelType> kNames[] = {
      {ExpirationModelType::kKeyMaterialExpires, "KEY_MATERIAL_EXPIRES"},
      {ExpirationModelType::kKeyMaterialDoesNotExpire, "KEY_MATERIAL_DOES_NOT_EXPIRE"},
  };
};

enum class GrantOperation : std::uint8_t {
  kDecrypt,
  kEncrypt,
  kGenerateDataKey,
  kGenerateDataKeyWithoutPlaintext,
  kReEncryptFrom,
  kReEncryptTo,
  kSign,
  kVerify,
  kGetPublicKey,
  kCreateGrant,
  kRetireGrant,
  kDescribeKey,
  kGenerateDataKeyPair,
  kGenerateDataKeyPairWithoutPlaintext,
  kGenerateMac,
  kVerifyMac,
  kDeriveSharedSecret,
};

template <>
struct EnumTable<GrantOperation> {
  static constexpr EnumName<GrantOperation> kNames[] = {
      {GrantOperation::kDecrypt, "Decrypt"},
      {GrantOperation::kEncrypt, "Encrypt"},
      {GrantOperation::kGenerateDataKey, "GenerateDataKey"},
      {GrantOperation::kGenerateDataKeyWithoutPlaintext, "GenerateDataKeyWithoutPlaintext"},
      {GrantOperation::kReEncryptFrom, "ReEncryptFrom"},
      {GrantOperation::kReEncryptTo, "ReEncryptTo"},
      {GrantOperation::kSign, "Sign"},
      {GrantOperation::kVerify, "Verify"},
      {GrantOperation::kGetPublicKey, "GetPublicKey"},
      {GrantOperation::kCreateGrant, "CreateGrant"},
      {GrantOperation::kRetireGrant, "RetireGrant"},
      {GrantOperation::kDescribeKey, "DescribeKey"},
      {GrantOperation::kGenerateDataKeyPair, "GenerateDataKeyPair"},
      {GrantOperation::kGenerateDataKeyPairWithoutPlaintext, "GenerateDataKeyPairWithoutPlaintext"},
      {GrantOperation::kGenerateMac, "GenerateMac"},
      {GrantOperation::kVerifyMac, "VerifyMac"},
      {GrantOperation::kDeriveSharedSecret, "DeriveSharedSecret"},
  };
};

enum class ImportState : std::uint8_t {
  kImported,
  kPendingImport,
};

template <>
struct EnumTable<ImportState> {
  static constexpr EnumName<ImportState> kNames[] = {
      {ImportState::kImported, "IMPORTED"},
      {ImportState::kPendingImport, "PENDING_IMPORT"},
  };
};

enum class ImportType : std::uint8_t {
  kNewKeyMaterial,
  kExistingKeyMaterial,
};

template <>
struct EnumTable<ImportType> {
  static constexpr EnumName<ImportType> kNames[] = {
      {ImportType::kNewKeyMaterial, "NEW_KEY_MATERIAL"},
      {ImportType::kExistingKeyMaterial, "EXISTING_KEY_MATERIAL"},
  };
};

enum class IncludeKeyMaterial : std::uint8_t {
  kAllKeyMaterial,
  kRotationsOnly,
};

template <>
struct EnumTable<IncludeKeyMaterial> {
  static constexpr EnumName<IncludeKeyMaterial> kNames[] = {
      {IncludeKeyMaterial::kAllKeyMaterial, "ALL_KEY_MATERIAL"},
      {IncludeKeyMaterial::kRotationsOnly, "ROTATIONS_ONLY"},
  };
};

enum class KeyAgreementAlgorithmSpec : std::uint8_t {
  kEcdh,
};

template <>
struct EnumTable<KeyAgreementAlgorithmSpec> {
  static constexpr EnumName<KeyAgreementAlgorithmSpec> kNames[] = {
      {KeyAgreementAlgorithmSpec::kEcdh, "ECDH"},
  };
};

enum class KeyEncryptionMechanism : std::uint8_t {
  kRsaesOaepSha256,
};

template <>
struct EnumTable<KeyEncryptionMechanism> {
  static constexpr EnumName<KeyEncryptionMechanism> kNames[] = {
      {KeyEncryptionMechanism::kRsaesOaepSha256, "RSAES_OAEP_SHA_256"},
  };
};

enum class KeyManager : std::uint8_t {
  kAws,
  kCustomer,
};

template <>
struct EnumTable<KeyManager> {
  static constexpr EnumName<KeyManager> kNames[] = {
      {KeyManager::kAws, "AWS"},
      {KeyManager::kCustomer, "CUSTOMER"},
  };
};

enum class KeyMaterialState : std::uint8_t {
  kNonCurrent,
  kCurrent,
  kPendingRotation,
  kPendingMultiRegionImportAndRotation,
};

template <>
struct EnumTable<KeyMaterialState> {
  static constexpr EnumName<KeyMaterialState> kNames[] = {
      {KeyMaterialState::kNonCurrent, "NON_CURRENT"},
      {KeyMaterialState::kCurrent, "CURRENT"},
      {KeyMaterialState::kPendingRotation, "PENDING_ROTATION"},
      {KeyMaterialState::kPendingMultiRegionImportAndRotation,
       "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"},
  };
};

enum class KeySpec : std::uint8_t {
  kRsa2048,
  kRsa3072,
  kRsa4096,
  kEccNistP256,
  kEccNistP384,
  kEccNistP521,
  kEccSecgP256k1,
  kSymmetricDefault,
  kHmac224,
  kHmac256,
  kHmac384,
  kHmac512,
  kSm2,
  kMlDsa44,
  kMlDsa65,
  kMlDsa87,
  kEccNistEdwards25519,
};

template <>
struct EnumTable<KeySpec> {
  static constexpr EnumName<KeySpec> kNames[] = {
      {KeySpec::kRsa2048, "RSA_2048"},
      {KeySpec::kRsa3072, "RSA_3072"},
      {KeySpec::kRsa4096, "RSA_4096"},
      {KeySpec::kEccNistP256, "ECC_NIST_P256"},
      {KeySpec::kEccNistP384, "ECC_NIST_P384"},
      {KeySpec::kEccNistP521, "ECC_NIST_P521"},
      {KeySpec::kEccSecgP256k1, "ECC_SECG_P256K1"},
      {KeySpec::kSymmetricDefault, "SYMMETRIC_DEFAULT"},
      {KeySpec::kHmac224, "HMAC_224"},
      {KeySpec::kHmac256, "HMAC_256"},
      {KeySpec::kHmac384, "HMAC_384"},
      {KeySpec::kHmac512, "HMAC_512"},
      {KeySpec::kSm2, "SM2"},
      {KeySpec::kMlDsa44, "ML_DSA_44"},
      {KeySpec::kMlDsa65, "ML_DSA_65"},
      {KeySpec::kMlDsa87, "ML_DSA_87"},
      {KeySpec::kEccNistEdwards25519, "ECC_NIST_EDWARDS25519"},
  };
};

enum class KeyState : std::uint8_t {
  kCreating,
  kEnabled,
  kDisabled,
  kPendingDeletion,
  kPendingImport,
  kPendingReplicaDeletion,
  kUnavailable,
  kUpdating,
};

template <>
struct EnumTable<KeyState> {
  static constexpr EnumName<KeyState> kNames[] = {
      {KeyState::kCreating, "Creating"},
      {KeyState::kEnabled, "Enabled"},
      {KeyState::kDisabled, "Disabled"},
      {KeyState::kPendingDeletion, "PendingDeletion"},
      {KeyState::kPendingImport, "PendingImport"},
      {KeyState::kPendingReplicaDeletion, "PendingReplicaDeletion"},
      {KeyState::kUnavailable, "Unavailable"},
      {KeyState::kUpdating, "Updating"},
  };
};

enum class KeyUsage : std::uint8_t {
  kSignVerify,
  kEncryptDecrypt,
  kGenerateVerifyMac,
  kKeyAgreement,
};

template <>
struct EnumTable<KeyUsage> {
  static constexpr EnumName<KeyUsage> kNames[] = {
      {KeyUsage::kSignVerify, "SIGN_VERIFY"},
      {KeyUsage::kEncryptDecrypt, "ENCRYPT_DECRYPT"},
      {KeyUsage::kGenerateVerifyMac, "GENERATE_VERIFY_MAC"},
      {KeyUsage::kKeyAgreement, "KEY_AGREEMENT"},
  };
};

enum class MacAlgorithmSpec : std::uint8_t {
  kHmacSha224,
  kHmacSha256,
  kHmacSha384,
  kHmacSha512,
};

template <>
struct EnumTable<MacAlgorithmSpec> {
  static constexpr EnumName<MacAlgorithmSpec> kNames[] = {
      {MacAlgorithmSpec::kHmacSha224, "HMAC_SHA_224"},
      {MacAlgorithmSpec::kHmacSha256, "HMAC_SHA_256"},
      {MacAlgorithmSpec::kHmacSha384, "HMAC_SHA_384"},
      {MacAlgorithmSpec::kHmacSha512, "HMAC_SHA_512"},
  };
};

enum class MessageType : std::uint8_t {
  kRaw,
  kDigest,
  kExternalMu,
};

template <>
struct EnumTable<MessageType> {
  static constexpr EnumName<MessageType> kNames[] = {
      {MessageType::kRaw, "RAW"},
      {MessageType::kDigest, "DIGEST"},
      {MessageType::kExternalMu, "EXTERNAL_MU"},
  };
};

enum class MultiRegionKeyType : std::uint8_t {
  kPrimary,
  kReplica,
};

template <>
struct EnumTable<MultiRegionKeyType> {
  static constexpr EnumName<MultiRegionKeyType> kNames[] = {
      {MultiRegionKeyType::kPrimary, "PRIMARY"},
      {MultiRegionKeyType::kReplica, "REPLICA"},
  };
};

enum class Origin : std::uint8_t {
  kAwsKms,
  kExternal,
  kAwsCloudhsm,
  kExternalKeyStore,
};

template <>
struct EnumTable<Origin> {
  static constexpr EnumName<Origin> kNames[] = {
      {Origin::kAwsKms, "AWS_KMS"},
      {Origin::kExternal, "EXTERNAL"},
      {Origin::kAwsCloudhsm, "AWS_CLOUDHSM"},
      {Origin::kExternalKeyStore, "EXTERNAL_KEY_STORE"},
  };
};

enum class RotationType : std::uint8_t {
  kAutomatic,
  kOnDemand,
};

template <>
struct EnumTable<RotationType> {
  static constexpr EnumName<RotationType> kNames[] = {
      {RotationType::kAutomatic, "AUTOMATIC"},
      {RotationType::kOnDemand, "ON_DEMAND"},
  };
};

enum class SigningAlgorithmSpec : std::uint8_t {
  kRsassaPssSha256,
  kRsassaPssSha384,
  kRsassaPssSha512,
  kRsassaPkcs1V15Sha256,
  kRsassaPkcs1V15Sha384,
  kRsassaPkcs1V15Sha512,
  kEcdsaSha256,
  kEcdsaSha384,
  kEcdsaSha512,
  kSm2dsa,
  kMlDsaShake256,
  kEd25519Sha512,
  kEd25519PhSha512,
};

template <>
struct EnumTable<SigningAlgorithmSpec> {
  static constexpr EnumName<SigningAlgorithmSpec> kNames[] = {
      {SigningAlgorithmSpec::kRsassaPssSha256, "RSASSA_PSS_SHA_256"},
      {SigningAlgorithmSpec::kRsassaPssSha384, "RSASSA_PSS_SHA_384"},
      {SigningAlgorithmSpec::kRsassaPssSha512, "RSASSA_PSS_SHA_512"},
      {SigningAlgorithmSpec::kRsassaPkcs1V15Sha256, "RSASSA_PKCS1_V1_5_SHA_256"},
      {SigningAlgorithmSpec::kRsassaPkcs1V15Sha384, "RSASSA_PKCS1_V1_5_SHA_384"},
      {SigningAlgorithmSpec::kRsassaPkcs1V15Sha512, "RSASSA_PKCS1_V1_5_SHA_512"},
      {SigningAlgorithmSpec::kEcdsaSha256, "ECDSA_SHA_256"},
      {SigningAlgorithmSpec::kEcdsaSha384, "ECDSA_SHA_384"},
      {SigningAlgorithmSpec::kEcdsaSha512, "ECDSA_SHA_512"},
      {SigningAlgorithmSpec::kSm2dsa, "SM2DSA"},
      {SigningAlgorithmSpec::kMlDsaShake256, "ML_DSA_SHAKE_256"},
      {SigningAlgorithmSpec::kEd25519Sha512, "ED25519_SHA_512"},
      {SigningAlgorithmSpec::kEd25519PhSha512, "ED25519_PH_SHA_512"},
  };
};

enum class WrappingKeySpec : std::uint8_t {
  kRsa2048,
  kRsa3072,
  kRsa4096,
  kSm2,
};

template <>
struct EnumTable<WrappingKeySpec> {
  static constexpr EnumName<WrappingKeySpec> kNames[] = {
      {WrappingKeySpec::kRsa2048, "RSA_2048"},
      {WrappingKeySpec::kRsa3072, "RSA_3072"},
      {WrappingKeySpec::kRsa4096, "RSA_4096"},
      {WrappingKeySpec::kSm2, "SM2"},
  };
};

enum class XksProxyConnectivityType : std::uint8_t {
  kPublicEndpoint,
  kVpcEndpointService,
};

template <>
struct EnumTable<XksProxyConnectivityType> {
  static constexpr EnumName<XksProxyConnectivityType> kNames[] = {
      {XksProxyConnectivityType::kPublicEndpoint, "PUBLIC_ENDPOINT"},
      {XksProxyConnectivityType::kVpcEndpointService, "VPC_ENDPOINT_SERVICE"},
  };
};

}  // namespace keyturn::model
