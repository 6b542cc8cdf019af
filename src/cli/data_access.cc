#include "cli/data_access.h"

#include <string_view>

#include "service/files.h"

namespace keyturn::cli {
namespace {

Result<std::string> FirstLine(const std::filesystem::path& path, std::string_view made_by) {
  const auto text = service::ReadSmallFile(path);
  if (!text) {
    return Fail(text.error().code,
                text.error().message + "; " + std::string(made_by) + " makes it");
  }
  const std::string_view all = AsText(text->reveal());
  return std::string(all.substr(0, all.find('\n')));
}

// ValueOf finds "name = value" in a credentials file.
std::string_view ValueOf(std::string_view text, std::string_view name) {
  const std::size_t at = text.find(name);
  if (at == std::string_view::npos) return {};
  std::string_view rest = text.substr(at + name.size());
  const std::size_t from = rest.find_first_not_of(" =");
  if (from == std::string_view::npos) return {};
  rest.remove_prefix(from);
  return rest.substr(0, rest.find('\n'));
}

}  // namespace

Result<DataAccess> ReadDataAccess(const std::filesystem::path& data_dir) {
  DataAccess access;
  KT_ASSIGN(access.endpoint, FirstLine(data_dir / "endpoint", "`keyturn serve`"));
  KT_ASSIGN(access.region, FirstLine(data_dir / "region", "`keyturn init`"));
  KT_ASSIGN(const SecretBytes credentials, service::ReadSmallFile(data_dir / "credentials"));
  const std::string_view text = AsText(credentials.reveal());
  access.access_key_id = ValueOf(text, "aws_access_key_id");
  access.secret_access_key = SecretBytes::CopyOf(AsBytes(ValueOf(text, "aws_secret_access_key")));
  if (access.access_key_id.empty() || access.secret_access_key.empty()) {
    return Fail(ErrorCode::kMalformed,
                (data_dir / "credentials").string() + " has no access key in it");
  }
  return access;
}

}  // namespace keyturn::cli
