#include "control/yaml_reader.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <set>

namespace keyturn::control {
namespace {

constexpr std::size_t kYamlListMax = 100'000;

// TreeMaker copies yaml-cpp's nodes, which may be shared and even contain themselves.
class TreeMaker {
 public:
  explicit TreeMaker(const YamlLimits& limits) : limits_(limits) {}

  bool Make(const YAML::Node& from, int parent_line, int depth, YamlNode& to) {
    to.line = LineOf(from, parent_line);
    if (depth > limits_.depth_max) return Wrong(to.line, "is nested too deep");
    if (++nodes_ > limits_.nodes_max) return Wrong(to.line, "the file has too many entries");
    if (from.IsScalar()) {
      to.kind = YamlNode::Kind::kText;
      to.text = from.Scalar();
      return true;
    }
    if (from.IsSequence()) {
      to.kind = YamlNode::Kind::kList;
      return std::all_of(from.begin(), from.end(), [&](const YAML::Node& item) {
        return Make(item, to.line, depth + 1, to.items.emplace_back());
      });
    }
    return !from.IsMap() || Map(from, depth, to);
  }

  int wrong_line() const { return wrong_line_; }
  const std::string& wrong() const { return wrong_; }

 private:
  static int LineOf(const YAML::Node& node, int otherwise) {
    const int line = node.Mark().line;
    return line < 0 ? otherwise : line + 1;
  }

  bool Map(const YAML::Node& from, int depth, YamlNode& to) {
    to.kind = YamlNode::Kind::kMap;
    std::set<std::string> seen;
    for (const auto& member : from) {
      const int line = LineOf(member.first, to.line);
      if (!member.first.IsScalar()) return Wrong(line, "a field's name must be a text");
      const std::string& name = member.first.Scalar();
      if (!seen.insert(name).second) return Wrong(line, "field '" + name + "' appears twice");
      to.names.push_back(name);
      to.name_lines.push_back(line);
      if (!Make(member.second, line, depth + 1, to.items.emplace_back())) return false;
    }
    return true;
  }

  bool Wrong(int line, std::string what) {
    wrong_line_ = line;
    wrong_ = std::move(what);
    return false;
  }

  const YamlLimits& limits_;
  std::size_t nodes_ = 0;
  int wrong_line_ = 1;
  std::string wrong_;
};

std::string Quoted(std::string_view name) { return "'" + std::string(name) + "'"; }

}  // namespace

const YamlNode* YamlNode::Find(std::string_view name) const {
  const auto found = std::find(names.begin(), names.end(), name);
  if (!IsMap() || found == names.end()) return nullptr;
  return &items[static_cast<std::size_t>(found - names.begin())];
}

Result<YamlNode> YamlReader::Parse(std::string_view text, const YamlLimits& limits) const {
  if (text.size() > limits.bytes_max) return Fail(WrongAt(1, "the file is too large").error());
  // yaml-cpp throws at what it cannot read, and bounds its own nesting.
  try {
    YamlNode root;
    TreeMaker maker(limits);
    if (!maker.Make(YAML::Load(std::string(text)), 1, 0, root)) {
      return Fail(WrongAt(maker.wrong_line(), maker.wrong()).error());
    }
    return root;
  } catch (const YAML::Exception& e) {
    return Fail(WrongAt(std::max(0, e.mark.line) + 1, e.msg).error());
  } catch (const std::exception& e) {
    return Fail(WrongAt(1, e.what()).error());
  }
}

Status YamlReader::CheckHead(const YamlNode& root, int version,
                             std::initializer_list<std::string_view> fields) const {
  if (!root.IsMap()) {
    std::string names;
    for (const std::string_view field : fields) {
      names += (names.empty() ? "" : ", ") + Quoted(field);
    }
    return Wrong(root, "must be a map of " + names);
  }
  KT_TRY(OnlyFields(root, fields));
  std::string said;
  KT_TRY(Text(root, "version", said));
  if (said == std::to_string(version)) return {};
  return Wrong(*root.Find("version"), "version must be " + std::to_string(version));
}

std::string YamlReader::PlaceOf(const YamlNode& node) const {
  return std::string(place_) + ":" + std::to_string(node.line);
}

Status YamlReader::WrongAt(int line, const std::string& what) const {
  return Fail(ErrorCode::kUsage, std::string(place_) + ":" + std::to_string(line) + ": " + what);
}

Status YamlReader::Wrong(const YamlNode& node, const std::string& what) const {
  return WrongAt(node.line, what);
}

Status YamlReader::OnlyFields(const YamlNode& map,
                              std::initializer_list<std::string_view> known) const {
  for (std::size_t i = 0; i < map.names.size(); ++i) {
    const std::string& name = map.names[i];
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return WrongAt(map.name_lines[i], "unknown field '" + name + "'");
    }
  }
  return {};
}

Status YamlReader::Text(const YamlNode& map, std::string_view name, std::string& out) const {
  if (map.Find(name) == nullptr) return Wrong(map, Quoted(name) + " is missing");
  return OptionalText(map, name, out);
}

Status YamlReader::OptionalText(const YamlNode& map, std::string_view name,
                                std::string& out) const {
  const YamlNode* const node = map.Find(name);
  if (node == nullptr) return {};
  if (!node->IsText()) return Wrong(*node, Quoted(name) + " must be a text");
  if (node->text.find_first_not_of(" \t\r\n") == std::string::npos) {
    return Wrong(*node, Quoted(name) + " is empty");
  }
  out = node->text;
  return {};
}

Status YamlReader::OptionalBool(const YamlNode& map, std::string_view name, bool& out) const {
  const YamlNode* const node = map.Find(name);
  if (node == nullptr) return {};
  if (!node->IsText() || (node->text != "true" && node->text != "false")) {
    return Wrong(*node, Quoted(name) + " must be true or false");
  }
  out = node->text == "true";
  return {};
}

Status YamlReader::OptionalInt(const YamlNode& map, std::string_view name, int min, int max,
                               std::optional<int>& out) const {
  const YamlNode* const node = map.Find(name);
  if (node == nullptr) return {};
  int number = 0;
  KT_TRY(IntOf(*node, name, min, max, number));
  out = number;
  return {};
}

Status YamlReader::IntOf(const YamlNode& node, std::string_view name, int min, int max,
                         int& out) const {
  const char* const begin = node.text.data();
  const char* const end = begin + node.text.size();
  int number = 0;
  const auto [stop, error] = std::from_chars(begin, end, number);
  if (!node.IsText() || begin == end || error != std::errc() || stop != end || number < min ||
      number > max) {
    return Wrong(node, Quoted(name) + " must be a whole number of " + std::to_string(min) + " to " +
                           std::to_string(max));
  }
  out = number;
  return {};
}

Status YamlReader::Texts(const YamlNode& list, std::string_view name,
                         bool (*good)(std::string_view), std::string_view what,
                         std::vector<std::string>& out) const {
  if (!list.IsList() || list.items.empty() || list.items.size() > kYamlListMax) {
    return Wrong(list, Quoted(name) + " must be a list");
  }
  std::set<std::string_view> seen;
  for (const YamlNode& node : list.items) {
    if (!node.IsText() || !good(node.text)) {
      return Wrong(node, "an entry of " + Quoted(name) + " must be " + std::string(what));
    }
    if (!seen.insert(node.text).second) {
      return Wrong(node, "'" + node.text + "' appears twice in " + Quoted(name));
    }
    out.push_back(node.text);
  }
  return {};
}

}  // namespace keyturn::control
