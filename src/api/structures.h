// Structures: the members that several operations share.
// Thread-safety: values. Source: KMS API model 2014-11-01.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "api/patterns.h"
#include "api/shape.h"
#include "base/bytes.h"
#include "base/secret.h"
#include "base/time.h"
#include "model/enums.h"

namespace keyturn::api {

struct Tag {
  std::string tag_key;
  std::string tag_value;
};

template <>
inline constexpr auto kShape<Tag> = std::tuple{
    Member{"TagKey", &Tag::tag_key, kRequired, Length{1, 128}},
    Member{"TagValue", &Tag::tag_value, kRequired, Length{0, 256}},
};

struct MultiRegionKey {
  std::optional<std::string> arn;
  std::optional<std::string> region;
};

template <>
inline constexpr auto kShape<MultiRegionKey> = std::tuple{
    Member{"Arn", &MultiRegionKey::arn, Length{20, 2048}},
    Member{"Region", &MultiRegionKey::region, Length{1, 32}, &pattern::kRegion},
};

struct MultiRegionConfiguration {
  std::optional<model::MultiRegionKeyType> multi_region_key_type;
  std::optional<MultiRegionKey> primary_key;
  std::optional<std::vector<MultiRegionKey>> replica_keys;
};

template <>
inline constexpr auto kShape<MultiRegionConfiguration> = std::tuple{
    Member{"MultiRegionKeyType", &MultiRegionConfiguration::multi_region_key_type},
    Member{"PrimaryKey", &MultiRegionConfiguration::primary_key},
    Member{"ReplicaKeys", &MultiRegionConfiguration::replica_keys},
};

struct XksKeyConfigurationType {
  std::optional<std::string> id;
};

template <>
inline constexpr auto kShape<XksKeyConfigurationType> = std::tuple{
    Member{"Id", &XksKeyConfigurationType::id, Length{1, 128}, &pattern::kXksKeyId},
};

struct KeyMetadata {
  std::optional<std::string> aws_account_id;
  std::string key_id;
  std::optional<std::string> arn;
  std::optional<TimePoint> creation_date;
  std::optional<bool> enabled;
  std::optional<std::string> description;
  std::optional<model::KeyUsage> key_usage;
  std::optional<model::KeyState> key_state;
  std::optional<TimePoint> deletion_date;
  std::optional<TimePoint> valid_to;
  std::optional<model::Origin> origin;
  std::optional<std::string> custom_key_store_id;
  std::optional<std::string> cloud_hsm_cluster_id;
  std::optional<model::ExpirationModelType> expiration_model;
  std::optional<model::KeyManager> key_manager;
  std::optional<model::KeySpec> customer_master_key_spec;
  std::optional<model::KeySpec> key_spec;
  std::optional<std::vector<model::EncryptionAlgorithmSpec>> encryption_algorithms;
  std::optional<std::vector<model::SigningAlgorithmSpec>> signing_algorithms;
  std::optional<std::vector<model::KeyAgreementAlgorithmSpec>> key_agreement_algorithms;
  std::optional<bool> multi_region;
  std::optional<MultiRegionConfiguration> multi_region_configuration;
  std::optional<std::int32_t> pending_deletion_window_in_days;
  std::optional<std::vector<model::MacAlgorithmSpec>> mac_algorithms;
  std::optional<XksKeyConfigurationType> xks_key_configuration;
  std::optional<std::string> current_key_material_id;
};

template <>
inline constexpr auto kShape<KeyMetadata> = std::tuple{
    Member{"AWSAccountId", &KeyMetadata::aws_account_id},
    Member{"KeyId", &KeyMetadata::key_id, kRequired, Length{1, 2048}},
    Member{"Arn", &KeyMetadata::arn, Length{20, 2048}},
    Member{"CreationDate", &KeyMetadata::creation_date},
    Member{"Enabled", &KeyMetadata::enabled},
    Member{"Description", &KeyMetadata::description, Length{0, 8192}},
    Member{"KeyUsage", &KeyMetadata::key_usage},
    Member{"KeyState", &KeyMetadata::key_state},
    Member{"DeletionDate", &KeyMetadata::deletion_date},
    Member{"ValidTo", &KeyMetadata::valid_to},
    Member{"Origin", &KeyMetadata::origin},
    Member{"CustomKeyStoreId", &KeyMetadata::custom_key_store_id, Length{1, 64}},
    Member{"CloudHsmClusterId", &KeyMetadata::cloud_hsm_cluster_id, Length{19, 24},
           &pattern::kCloudHsmClusterId},
    Member{"ExpirationModel", &KeyMetadata::expiration_model},
    Member{"KeyManager", &KeyMetadata::key_manager},
    Member{"CustomerMasterKeySpec", &KeyMetadata::customer_master_key_spec},
    Member{"KeySpec", &KeyMetadata::key_spec},
    Member{"EncryptionAlgorithms", &KeyMetadata::encryption_algorithms},
    Member{"SigningAlgorithms", &KeyMetadata::signing_algorithms},
    Member{"KeyAgreementAlgorithms", &KeyMetadata::key_agreement_algorithms},
    Member{"MultiRegion", &KeyMetadata::multi_region},
    Member{"MultiRegionConfiguration", &KeyMetadata::multi_region_configuration},
    Member{"PendingDeletionWindowInDays", &KeyMetadata::pending_deletion_window_in_days,
           Range{1, 365}},
    Member{"MacAlgorithms", &KeyMetadata::mac_algorithms},
    Member{"XksKeyConfiguration", &KeyMetadata::xks_key_configuration},
    Member{"CurrentKeyMaterialId", &KeyMetadata::current_key_material_id, Length{64, 64},
           &pattern::kBackingKeyId},
};

struct KeyListEntry {
  std::optional<std::string> key_id;
  std::optional<std::string> key_arn;
};

template <>
inline constexpr auto kShape<KeyListEntry> = std::tuple{
    Member{"KeyId", &KeyListEntry::key_id, Length{1, 2048}},
    Member{"KeyArn", &KeyListEntry::key_arn, Length{20, 2048}},
};

struct AliasListEntry {
  std::optional<std::string> alias_name;
  std::optional<std::string> alias_arn;
  std::optional<std::string> target_key_id;
  std::optional<TimePoint> creation_date;
  std::optional<TimePoint> last_updated_date;
};

template <>
inline constexpr auto kShape<AliasListEntry> = std::tuple{
    Member{"AliasName", &AliasListEntry::alias_name, Length{1, 256}, &pattern::kAliasName},
    Member{"AliasArn", &AliasListEntry::alias_arn, Length{20, 2048}},
    Member{"TargetKeyId", &AliasListEntry::target_key_id, Length{1, 2048}},
    Member{"CreationDate", &AliasListEntry::creation_date},
    Member{"LastUpdatedDate", &AliasListEntry::last_updated_date},
};

struct RotationsListEntry {
  std::optional<std::string> key_id;
  std::optional<std::string> key_material_id;
  std::optional<std::string> key_material_description;
  std::optional<model::ImportState> import_state;
  std::optional<model::KeyMaterialState> key_material_state;
  std::optional<model::ExpirationModelType> expiration_model;
  std::optional<TimePoint> valid_to;
  std::optional<TimePoint> rotation_date;
  std::optional<model::RotationType> rotation_type;
};

template <>
inline constexpr auto kShape<RotationsListEntry> = std::tuple{
    Member{"KeyId", &RotationsListEntry::key_id, Length{1, 2048}},
    Member{"KeyMaterialId", &RotationsListEntry::key_material_id, Length{64, 64},
           &pattern::kBackingKeyId},
    Member{"KeyMaterialDescription", &RotationsListEntry::key_material_description, Length{0, 256},
           &pattern::kKeyMaterialDescription},
    Member{"ImportState", &RotationsListEntry::import_state},
    Member{"KeyMaterialState", &RotationsListEntry::key_material_state},
    Member{"ExpirationModel", &RotationsListEntry::expiration_model},
    Member{"ValidTo", &RotationsListEntry::valid_to},
    Member{"RotationDate", &RotationsListEntry::rotation_date},
    Member{"RotationType", &RotationsListEntry::rotation_type},
};

struct GrantConstraints {
  std::optional<std::map<std::string, std::string>> encryption_context_subset;
  std::optional<std::map<std::string, std::string>> encryption_context_equals;
};

template <>
inline constexpr auto kShape<GrantConstraints> = std::tuple{
    Member{"EncryptionContextSubset", &GrantConstraints::encryption_context_subset},
    Member{"EncryptionContextEquals", &GrantConstraints::encryption_context_equals},
};

struct GrantListEntry {
  std::optional<std::string> key_id;
  std::optional<std::string> grant_id;
  std::optional<std::string> name;
  std::optional<TimePoint> creation_date;
  std::optional<std::string> grantee_principal;
  std::optional<std::string> retiring_principal;
  std::optional<std::string> issuing_account;
  std::optional<std::vector<model::GrantOperation>> operations;
  std::optional<GrantConstraints> constraints;
};

template <>
inline constexpr auto kShape<GrantListEntry> = std::tuple{
    Member{"KeyId", &GrantListEntry::key_id, Length{1, 2048}},
    Member{"GrantId", &GrantListEntry::grant_id, Length{1, 128}},
    Member{"Name", &GrantListEntry::name, Length{1, 256}, &pattern::kAliasName},
    Member{"CreationDate", &GrantListEntry::creation_date},
    Member{"GranteePrincipal", &GrantListEntry::grantee_principal, Length{1, 256},
           &pattern::kPrincipalId},
    Member{"RetiringPrincipal", &GrantListEntry::retiring_principal, Length{1, 256},
           &pattern::kPrincipalId},
    Member{"IssuingAccount", &GrantListEntry::issuing_account, Length{1, 256},
           &pattern::kPrincipalId},
    Member{"Operations", &GrantListEntry::operations},
    Member{"Constraints", &GrantListEntry::constraints},
};

struct RecipientInfo {
  std::optional<model::KeyEncryptionMechanism> key_encryption_algorithm;
  std::optional<Bytes> attestation_document;
};

template <>
inline constexpr auto kShape<RecipientInfo> = std::tuple{
    Member{"KeyEncryptionAlgorithm", &RecipientInfo::key_encryption_algorithm},
    Member{"AttestationDocument", &RecipientInfo::attestation_document, Length{1, 262144}},
};

struct KeyLastUsageData {
  std::optional<std::string> operation;
  std::optional<TimePoint> timestamp;
  std::optional<std::string> cloud_trail_event_id;
  std::optional<std::string> kms_request_id;
};

template <>
inline constexpr auto kShape<KeyLastUsageData> = std::tuple{
    Member{"Operation", &KeyLastUsageData::operation},
    Member{"Timestamp", &KeyLastUsageData::timestamp},
    Member{"CloudTrailEventId", &KeyLastUsageData::cloud_trail_event_id},
    Member{"KmsRequestId", &KeyLastUsageData::kms_request_id},
};

struct XksProxyAuthenticationCredentialType {
  SecretText access_key_id;
  SecretText raw_secret_access_key;
};

template <>
inline constexpr auto kShape<XksProxyAuthenticationCredentialType> = std::tuple{
    Member{"AccessKeyId", &XksProxyAuthenticationCredentialType::access_key_id, kRequired,
           Length{20, 30}, &pattern::kXksAccessKeyId},
    Member{"RawSecretAccessKey", &XksProxyAuthenticationCredentialType::raw_secret_access_key,
           kRequired, Length{43, 64}, &pattern::kXksSecret},
};

struct XksProxyConfigurationType {
  std::optional<model::XksProxyConnectivityType> connectivity;
  std::optional<SecretText> access_key_id;
  std::optional<std::string> uri_endpoint;
  std::optional<std::string> uri_path;
  std::optional<std::string> vpc_endpoint_service_name;
  std::optional<std::string> vpc_endpoint_service_owner;
};

template <>
inline constexpr auto kShape<XksProxyConfigurationType> = std::tuple{
    Member{"Connectivity", &XksProxyConfigurationType::connectivity},
    Member{"AccessKeyId", &XksProxyConfigurationType::access_key_id, Length{20, 30},
           &pattern::kXksAccessKeyId},
    Member{"UriEndpoint", &XksProxyConfigurationType::uri_endpoint, Length{10, 128},
           &pattern::kXksUriEndpoint},
    Member{"UriPath", &XksProxyConfigurationType::uri_path, Length{10, 128}, &pattern::kXksUriPath},
    Member{"VpcEndpointServiceName", &XksProxyConfigurationType::vpc_endpoint_service_name,
           Length{20, 64}, &pattern::kXksVpcService},
    Member{"VpcEndpointServiceOwner", &XksProxyConfigurationType::vpc_endpoint_service_owner,
           Length{12, 12}, &pattern::kAccountId},
};

struct CustomKeyStoresListEntry {
  std::optional<std::string> custom_key_store_id;
  std::optional<std::string> custom_key_store_name;
  std::optional<std::string> cloud_hsm_cluster_id;
  std::optional<std::string> trust_anchor_certificate;
  std::optional<model::ConnectionStateType> connection_state;
  std::optional<model::ConnectionErrorCodeType> connection_error_code;
  std::optional<TimePoint> creation_date;
  std::optional<model::CustomKeyStoreType> custom_key_store_type;
  std::optional<XksProxyConfigurationType> xks_proxy_configuration;
};

template <>
inline constexpr auto kShape<CustomKeyStoresListEntry> = std::tuple{
    Member{"CustomKeyStoreId", &CustomKeyStoresListEntry::custom_key_store_id, Length{1, 64}},
    Member{"CustomKeyStoreName", &CustomKeyStoresListEntry::custom_key_store_name, Length{1, 256}},
    Member{"CloudHsmClusterId", &CustomKeyStoresListEntry::cloud_hsm_cluster_id, Length{19, 24},
           &pattern::kCloudHsmClusterId},
    Member{"TrustAnchorCertificate", &CustomKeyStoresListEntry::trust_anchor_certificate,
           kNeverLogged, Length{1, 5000}},
    Member{"ConnectionState", &CustomKeyStoresListEntry::connection_state},
    Member{"ConnectionErrorCode", &CustomKeyStoresListEntry::connection_error_code},
    Member{"CreationDate", &CustomKeyStoresListEntry::creation_date},
    Member{"CustomKeyStoreType", &CustomKeyStoresListEntry::custom_key_store_type},
    Member{"XksProxyConfiguration", &CustomKeyStoresListEntry::xks_proxy_configuration},
};

}  // namespace keyturn::api
