#include "cli/webhook_flags.h"

#include "service/files.h"

namespace keyturn::cli {
namespace {

constexpr std::size_t kSecretBytesMin = 16;

Result<SecretBytes> ReadSecret(const std::string& path) {
  KT_ASSIGN(const SecretBytes text, service::ReadSmallFile(path));
  std::string_view secret = AsText(text.reveal());
  while (secret.ends_with('\n') || secret.ends_with('\r')) secret.remove_suffix(1);
  if (secret.size() < kSecretBytesMin) {
    return Fail(ErrorCode::kUsage, path + ": a secret of at least 16 characters is needed");
  }
  return SecretBytes::CopyOf(AsBytes(secret));
}

}  // namespace

Result<http::WebhookTarget> ReadWebhook(std::string_view option, const std::string& url,
                                        const std::string& secret_file) {
  const std::string name(option);
  if (const Status good = http::CheckWebhookUrl(url); !good) {
    return Fail(ErrorCode::kUsage, name + ": " + good.error().message);
  }
  if (secret_file.empty()) {
    return Fail(ErrorCode::kUsage, name + " needs " + name + "-secret FILE");
  }
  KT_ASSIGN(SecretBytes secret, ReadSecret(secret_file));
  return http::WebhookTarget{url, std::move(secret)};
}

}  // namespace keyturn::cli
