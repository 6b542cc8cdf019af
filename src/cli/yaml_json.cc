#include "cli/yaml_json.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <set>

#include "json/json.h"

namespace keyturn::cli {
namespace {

constexpr std::size_t kBytesMax = 512 << 10;
constexpr int kDepthMax = 24;

tl::unexpected<Error> At(const YAML::Mark& mark, const std::string& why) {
  return Fail(ErrorCode::kUsage,
              fmt::format("line {}, column {}: {}", mark.line + 1, mark.column + 1, why));
}

Status Write(const YAML::Node& node, int depth, json::Writer& out, const std::string& text) {
  if (depth > kDepthMax || text.size() > kBytesMax) {
    return At(node.Mark(), "the document is too deep or too large");
  }
  switch (node.Type()) {
    case YAML::NodeType::Scalar:
      out.String(node.Scalar());
      return {};
    case YAML::NodeType::Undefined:
    case YAML::NodeType::Null:
      out.BeginObject().EndObject();  // "admins:" with nothing behind it
      return {};
    case YAML::NodeType::Sequence:
      out.BeginArray();
      for (const YAML::Node& each : node) KT_TRY(Write(each, depth + 1, out, text));
      out.EndArray();
      return {};
    case YAML::NodeType::Map:
      break;
  }
  out.BeginObject();
  std::set<std::string> names;
  for (const auto& member : node) {
    if (!member.first.IsScalar()) return At(member.first.Mark(), "a key must be a scalar");
    const std::string& name = member.first.Scalar();
    if (!names.insert(name).second) return At(member.first.Mark(), name + " comes twice");
    out.Key(name);
    KT_TRY(Write(member.second, depth + 1, out, text));
  }
  out.EndObject();
  return {};
}

}  // namespace

Result<std::string> YamlToJson(std::string_view text) {
  if (text.size() > kBytesMax) {
    return Fail(ErrorCode::kUsage, "the file has more than 512 KiB");
  }
  try {
    const YAML::Node root = YAML::Load(std::string(text));
    std::string json;
    json::Writer out(json);
    KT_TRY(Write(root, 0, out, json));
    return json;
  } catch (const YAML::Exception& error) {
    return At(error.mark, error.msg);
  }
}

}  // namespace keyturn::cli
