#include "cli/record_flags.h"

#include <CLI/CLI.hpp>
#include <optional>

#include "crypto/cms.h"
#include "crypto/ssh_signature.h"
#include "service/files.h"

namespace keyturn::cli {

using control::EvidenceRecorder;

void AddRecord(CLI::App* command, RecordFlags& flags) {
  CLI::Option* record =
      command
          ->add_option("--record", flags.directory,
                       "Make this directory, with every answer in it, as evidence")
          ->type_name("DIR");
  command
      ->add_option("--sign-key", flags.sign_key,
                   "Sign the evidence with this OpenSSH Ed25519 private key")
      ->needs(record)
      ->type_name("FILE");
  CLI::Option* certificate =
      command
          ->add_option("--sign-cert", flags.sign_cert,
                       "Sign the evidence by CMS with this certificate (PEM)")
          ->needs(record)
          ->type_name("FILE");
  command->add_option("--sign-cert-key", flags.sign_cert_key, "Private key of --sign-cert (PEM)")
      ->needs(certificate)
      ->type_name("FILE");
}

void CheckRecord(const RecordFlags& flags) {
  if (!flags.sign_cert.empty() && flags.sign_cert_key.empty()) {
    throw CLI::ValidationError("--sign-cert needs --sign-cert-key");
  }
}

Result<EvidenceRecorder::Sign> MakeSigner(const RecordFlags& flags, const Clock& clock) {
  std::shared_ptr<const crypto::SshSigner> ssh;
  std::shared_ptr<const crypto::CmsSigner> cms;
  if (!flags.sign_key.empty()) {
    KT_ASSIGN(const SecretBytes file, service::ReadSmallFile(flags.sign_key));
    auto signer = crypto::SshSigner::FromPrivateKey(file.reveal());
    if (!signer) return Fail(ErrorCode::kUsage, flags.sign_key + ": " + signer.error().message);
    ssh = std::make_shared<const crypto::SshSigner>(*std::move(signer));
  }
  if (!flags.sign_cert.empty()) {
    KT_ASSIGN(const SecretBytes certificate, service::ReadSmallFile(flags.sign_cert));
    KT_ASSIGN(const SecretBytes key, service::ReadSmallFile(flags.sign_cert_key));
    auto signer = crypto::CmsSigner::Create(certificate.reveal(), key.reveal());
    if (!signer) {
      return Fail(ErrorCode::kUsage,
                  flags.sign_cert + ", " + flags.sign_cert_key + ": " + signer.error().message);
    }
    cms = std::make_shared<const crypto::CmsSigner>(*std::move(signer));
  }
  if (!ssh && !cms) return EvidenceRecorder::Sign();
  return EvidenceRecorder::Sign(
      [ssh, cms, &clock](std::string_view manifest) -> Result<std::vector<EvidenceRecorder::File>> {
        std::vector<EvidenceRecorder::File> files;
        if (ssh) {
          files.push_back({std::string(control::kSshSignatureFile),
                           ssh->Sign(AsBytes(manifest), control::kEvidenceNamespace)});
        }
        if (cms) {
          KT_ASSIGN(const Bytes der, cms->Sign(AsBytes(manifest), clock.Now()));
          files.push_back({std::string(control::kCmsSignatureFile), std::string(AsText(der))});
        }
        return files;
      });
}

}  // namespace keyturn::cli
