#include "report/control_text.h"

namespace keyturn::report {
namespace {

using Items = std::string_view;

constexpr Items kProfile[] = {"Level 2"};
constexpr ControlBlock kProfileBlocks[] = {{BlockKind::kParagraph, kProfile}};

constexpr Items kDescription[] = {
    "AWS Key Management Service (KMS) can rotate the customer-managed keys (CMKs) of an account by "
    "itself. A rotation gives the key new key material and keeps every older material, so that "
    "data encrypted before it still decrypts without any change.",
    "With rotation enabled, KMS rotates the key every year (or after the period chosen, 90 to 2560 "
    "days), which limits what a compromised key material exposes."};
constexpr ControlBlock kDescriptionBlocks[] = {{BlockKind::kParagraph, kDescription}};

constexpr Items kRationale[] = {
    "Rotation limits how much data any one key material protects.",
    "New data is always encrypted under the newest material.",
    "It supports what NIST, PCI DSS, SOC 2, ISO 27001, HIPAA and the CIS benchmarks ask for.",
    "Without rotation, one compromised material exposes everything encrypted under the key, past "
    "and future."};
constexpr ControlBlock kRationaleBlocks[] = {{BlockKind::kBullets, kRationale}};

constexpr Items kImpact[] = {
    "Encryption goes on without interruption and without anyone's work.",
    "Less data is at risk from old key material.",
    "Existing data still decrypts: the previous materials stay available."};
constexpr ControlBlock kImpactBlocks[] = {{BlockKind::kBullets, kImpact}};

constexpr Items kDefault[] = {"Rotation is NOT enabled for a customer-managed key when it is made.",
                              "KMS rotates AWS-managed keys by itself, customer-managed ones not."};
constexpr ControlBlock kDefaultBlocks[] = {{BlockKind::kBullets, kDefault}};

constexpr Items kNeedPermissions[] = {"IAM permissions"};
constexpr Items kPermissions[] = {"kms:ListKeys", "kms:DescribeKey", "kms:GetKeyRotationStatus",
                                  "kms:EnableKeyRotation",
                                  "kms:DisableKeyRotation (for the back-out plan)"};
constexpr Items kNeedTools[] = {"Tools"};
constexpr Items kTools[] = {"AWS CLI for automation, or keyturn itself"};
constexpr ControlBlock kPrerequisiteBlocks[] = {{BlockKind::kHeading, kNeedPermissions},
                                                {BlockKind::kBullets, kPermissions},
                                                {BlockKind::kHeading, kNeedTools},
                                                {BlockKind::kBullets, kTools}};

constexpr Items kConsole[] = {"Using AWS Console"};
constexpr Items kCli[] = {"Using AWS CLI"};
constexpr Items kKeyturn[] = {"Using keyturn"};

constexpr Items kTestConsoleStep[] = {
    "Step 1: Check if key rotation is enabled for customer-managed CMKs"};
constexpr Items kTestConsole[] = {
    "Log in to the AWS Management Console",
    "Navigate to KMS Console → AWS KMS",
    "Click \"Customer-managed keys\" in the left navigation pane",
    "Select a CMK with Key spec = SYMMETRIC_DEFAULT",
    "Click the \"Key rotation\" tab",
    "Ensure \"Automatically rotate this KMS key every year\" is checked",
    "Repeat for all customer-managed CMKs"};
constexpr Items kTestOutcome[] = {"Enabled: nothing more to do.",
                                  "Disabled: follow the implementation steps."};
constexpr Items kTestCliList[] = {"Step 1: List all CMKs"};
constexpr Items kListKeys[] = {"aws kms list-keys --query 'Keys[*].KeyId'"};
constexpr Items kTestCliStatus[] = {"Step 2: Check key rotation status"};
constexpr Items kStatus[] = {"aws kms get-key-rotation-status --key-id <kms-key-id>"};
constexpr Items kAuditLine[] = {"keyturn audit --region <region>"};
constexpr ControlBlock kTestBlocks[] = {
    {BlockKind::kHeading, kConsole},      {BlockKind::kStep, kTestConsoleStep},
    {BlockKind::kNumbered, kTestConsole}, {BlockKind::kBullets, kTestOutcome},
    {BlockKind::kHeading, kCli},          {BlockKind::kStep, kTestCliList},
    {BlockKind::kCommands, kListKeys},    {BlockKind::kStep, kTestCliStatus},
    {BlockKind::kCommands, kStatus},      {BlockKind::kHeading, kKeyturn},
    {BlockKind::kCommands, kAuditLine}};

constexpr Items kDoConsoleStep[] = {"Step 1: Enable key rotation for CMKs"};
constexpr Items kDoConsole[] = {"Log in to the AWS Management Console",
                                "Navigate to KMS Console → AWS KMS",
                                "Click \"Customer-managed keys\"",
                                "Select a CMK with Key spec = SYMMETRIC_DEFAULT",
                                "Click the \"Key rotation\" tab",
                                "Check the box \"Automatically rotate this KMS key every year\"",
                                "Click \"Save\"",
                                "Repeat for all CMKs"};
constexpr Items kDoCliEnable[] = {"Step 1: Enable key rotation for a specific CMK"};
constexpr Items kEnable[] = {"aws kms enable-key-rotation --key-id <kms-key-id>"};
constexpr Items kRepeat[] = {"Repeat for all customer-managed CMKs."};
constexpr Items kDoCliVerify[] = {"Step 2: Verify key rotation status"};
constexpr Items kPlanLines[] = {"keyturn plan --region <region> --out rotation.plan",
                                "keyturn apply rotation.plan --journal rotation.journal",
                                "keyturn verify --journal rotation.journal"};
constexpr ControlBlock kImplementBlocks[] = {
    {BlockKind::kHeading, kConsole},    {BlockKind::kStep, kDoConsoleStep},
    {BlockKind::kNumbered, kDoConsole}, {BlockKind::kHeading, kCli},
    {BlockKind::kStep, kDoCliEnable},   {BlockKind::kCommands, kEnable},
    {BlockKind::kParagraph, kRepeat},   {BlockKind::kStep, kDoCliVerify},
    {BlockKind::kCommands, kStatus},    {BlockKind::kHeading, kKeyturn},
    {BlockKind::kCommands, kPlanLines}};

constexpr Items kBackoutDisable[] = {
    "If enabling key rotation causes issues, disable it with the AWS CLI"};
constexpr Items kDisable[] = {"aws kms disable-key-rotation --key-id <kms-key-id>"};
constexpr Items kBackoutVerify[] = {"Verify that key rotation is disabled"};
constexpr Items kBackoutNotes[] = {"If the output is false, rotation is disabled.",
                                   "Make sure that disabling it is justified before you begin.",
                                   "Key material that was rotated in the meantime stays: nothing "
                                   "that was encrypted under it is lost."};
constexpr Items kBackoutLine[] = {
    "keyturn backout --journal rotation.journal --reason <why disabling is justified>"};
constexpr ControlBlock kBackoutBlocks[] = {
    {BlockKind::kHeading, kCli},      {BlockKind::kStep, kBackoutDisable},
    {BlockKind::kCommands, kDisable}, {BlockKind::kStep, kBackoutVerify},
    {BlockKind::kCommands, kStatus},  {BlockKind::kBullets, kBackoutNotes},
    {BlockKind::kHeading, kKeyturn},  {BlockKind::kCommands, kBackoutLine}};

constexpr Items kReferences[] = {
    "AWS KMS key rotation guide: "
    "https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html",
    "AWS CLI reference, key rotation: "
    "https://docs.aws.amazon.com/cli/latest/reference/kms/enable-key-rotation.html",
    "NIST guidelines on key management, SP 800-57 Part 1 Rev. 5: "
    "https://csrc.nist.gov/pubs/sp/800/57/pt1/r5/final"};
constexpr ControlBlock kReferenceBlocks[] = {{BlockKind::kBullets, kReferences}};

constexpr ControlSection kSections[] = {
    {"profile_applicability", "Profile Applicability", kProfileBlocks},
    {"description", "Description", kDescriptionBlocks},
    {"rationale", "Rationale", kRationaleBlocks},
    {"impact", "Impact", kImpactBlocks},
    {"default_value", "Default Value", kDefaultBlocks},
    {"pre_requisites", "Pre-Requisites", kPrerequisiteBlocks},
    {"test_plan", "Test Plan", kTestBlocks},
    {"implementation_steps", "Implementation Steps", kImplementBlocks},
    {"backout_plan", "Backout Plan", kBackoutBlocks},
    {"references", "References", kReferenceBlocks},
};

constexpr ComplianceMapping kMappings[] = {
    {"CIS AWS Foundations Benchmark", "1.2: 2.8 · 1.3-2.0: 3.8 · 3.0-5.0: 3.6 · 6.0-7.0: 4.6",
     "CIS"},
    {"AWS Security Hub", "KMS.4", "AWS"},
    {"NIST SP 800-53 r5", "SC-12, SC-12(2), SC-28(3)", "AWS Security Hub"},
    {"NIST SP 800-57 Part 1", "cryptoperiods", "the rationale, not a mapping"},
    {"NIST SP 800-171 r2", "3.13.10", "AWS Security Hub"},
    {"PCI DSS", "3.2.1: 3.6.4 · 4.0.1: 3.7.4", "AWS Security Hub"},
    {"ISO/IEC 27001:2022", "A.8.24", "Keyturn"},
    {"HIPAA", "45 CFR 164.312(a)(2)(iv)", "Keyturn"},
    {"SOC 2", "CC6.1", "Keyturn"},
    {"CSA CCM 4", "CEK-12", "Keyturn"},
};

}  // namespace

std::span<const ControlSection> ControlSections() { return kSections; }

std::span<const ComplianceMapping> ComplianceMappings() { return kMappings; }

}  // namespace keyturn::report
