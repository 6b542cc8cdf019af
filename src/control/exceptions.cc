#include "control/exceptions.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>

#include "base/hex.h"
#include "crypto/digest.h"
#include "model/ids.h"

namespace keyturn::control {
namespace {

// A file of this size is no list that people keep.
constexpr std::size_t kBytesMax = 4 << 20;
constexpr int kVersion = 1;
constexpr Days kOneDay{1};

class Reader {
 public:
  explicit Reader(std::string_view place) : place_(place) {}

  Status List(const YAML::Node& root, std::vector<Exception>& out) {
    if (!root.IsMap()) return Wrong(root, "must be a map with 'version' and 'exceptions'");
    KT_TRY(OnlyFields(root, {"version", "exceptions"}));
    std::string version;
    KT_TRY(Text(root, "version", version));
    if (version != std::to_string(kVersion)) {
      return Wrong(root["version"], "version must be " + std::to_string(kVersion));
    }
    const YAML::Node list = root["exceptions"];
    if (!list) return Wrong(root, "'exceptions' is missing");
    if (list.IsNull()) return {};
    if (!list.IsSequence()) return Wrong(list, "'exceptions' must be a list");
    std::set<std::string> ids;
    for (const YAML::Node& node : list) {
      Exception entry;
      KT_TRY(Entry(node, entry));
      if (!ids.insert(entry.id).second) return Wrong(node, "id '" + entry.id + "' appears twice");
      out.push_back(std::move(entry));
    }
    return {};
  }

  Status WrongAt(int line, const std::string& what) const {
    return Fail(ErrorCode::kUsage,
                std::string(place_) + ":" + std::to_string(line + 1) + ": " + what);
  }

 private:
  Status Wrong(const YAML::Node& node, const std::string& what) const {
    return WrongAt(std::max(0, node.Mark().line), what);
  }

  Status OnlyFields(const YAML::Node& map, std::initializer_list<std::string_view> known) const {
    std::set<std::string> seen;
    for (const auto& member : map) {
      if (!member.first.IsScalar()) return Wrong(member.first, "a field's name must be a text");
      const std::string& name = member.first.Scalar();
      if (std::find(known.begin(), known.end(), name) == known.end()) {
        return Wrong(member.first, "unknown field '" + name + "'");
      }
      if (!seen.insert(name).second) {
        return Wrong(member.first, "field '" + name + "' appears twice");
      }
    }
    return {};
  }

  // Text reads a field that must be there and not be blank.
  Status Text(const YAML::Node& map, const char* name, std::string& out) const {
    const YAML::Node node = map[name];
    if (!node) return Wrong(map, std::string("'") + name + "' is missing");
    return Scalar(node, name, out);
  }

  Status OptionalText(const YAML::Node& map, const char* name, std::string& out) const {
    const YAML::Node node = map[name];
    return node ? Scalar(node, name, out) : Status{};
  }

  Status Scalar(const YAML::Node& node, const char* name, std::string& out) const {
    if (!node.IsScalar()) return Wrong(node, std::string("'") + name + "' must be a text");
    out = node.Scalar();
    if (out.find_first_not_of(" \t\r\n") == std::string::npos) {
      return Wrong(node, std::string("'") + name + "' is empty");
    }
    return {};
  }

  Status Entry(const YAML::Node& node, Exception& entry) const {
    if (!node.IsMap()) return Wrong(node, "an exception must be a map");
    KT_TRY(OnlyFields(node, {"id", "match", "owner", "approver", "ticket", "reason", "expires"}));
    entry.line = node.Mark().line + 1;
    KT_TRY(Text(node, "id", entry.id));
    KT_TRY(Text(node, "owner", entry.owner));
    KT_TRY(Text(node, "approver", entry.approver));
    KT_TRY(Text(node, "ticket", entry.ticket));
    KT_TRY(Text(node, "reason", entry.reason));
    KT_TRY(Text(node, "expires", entry.expires));
    const auto day = entry.expires.size() == 10 ? ParseIso8601(entry.expires) : std::nullopt;
    if (!day) return Wrong(node["expires"], "'expires' must be a day, as 2027-01-31");
    entry.valid_until = *day + kOneDay;
    const YAML::Node match = node["match"];
    if (!match) return Wrong(node, "'match' is missing");
    return Match(match, entry.match);
  }

  Status Match(const YAML::Node& node, ExceptionMatch& match) const {
    if (!node.IsMap() || node.size() == 0) {
      return Wrong(node,
                   "'match' must name at least one of arn, alias, account, region, tag, glob");
    }
    KT_TRY(OnlyFields(node, {"arn", "alias", "account", "region", "tag", "glob"}));
    KT_TRY(OptionalText(node, "arn", match.arn));
    KT_TRY(OptionalText(node, "alias", match.alias));
    KT_TRY(OptionalText(node, "account", match.account));
    KT_TRY(OptionalText(node, "region", match.region));
    KT_TRY(OptionalText(node, "glob", match.glob));
    if (!match.arn.empty() && !match.arn.starts_with("arn:")) {
      return Wrong(node["arn"], "'arn' must be the whole ARN of a key; for patterns use 'glob'");
    }
    if (!match.alias.empty() && !match.alias.starts_with("alias/")) {
      return Wrong(node["alias"], "'alias' must begin with alias/");
    }
    if (!match.account.empty() && !model::AccountId::Parse(match.account)) {
      return Wrong(node["account"], "'account' must be 12 digits, in quotes");
    }
    if (const YAML::Node tag = node["tag"]) {
      if (!tag.IsMap()) return Wrong(tag, "'tag' must be a map with 'key' and 'value'");
      KT_TRY(OnlyFields(tag, {"key", "value"}));
      KT_TRY(Text(tag, "key", match.tag_key));
      KT_TRY(Text(tag, "value", match.tag_value));
    }
    return {};
  }

  const std::string_view place_;
};

bool HasTag(const KeyFacts& facts, const ExceptionMatch& match) {
  return std::any_of(facts.tags.begin(), facts.tags.end(), [&match](const auto& tag) {
    return tag.first == match.tag_key && tag.second == match.tag_value;
  });
}

bool HasAlias(const KeyFacts& facts, const std::string& alias) {
  return std::find(facts.aliases.begin(), facts.aliases.end(), alias) != facts.aliases.end();
}

bool FitsGlob(const KeyFacts& facts, const std::string& glob) {
  return GlobMatches(glob, facts.arn) ||
         std::any_of(facts.aliases.begin(), facts.aliases.end(),
                     [&glob](const std::string& alias) { return GlobMatches(glob, alias); });
}

}  // namespace

bool ExceptionList::UsesTags() const {
  return std::any_of(entries.begin(), entries.end(),
                     [](const Exception& entry) { return !entry.match.tag_key.empty(); });
}

Result<ExceptionList> ParseExceptions(std::string_view text, std::string_view place) {
  ExceptionList list;
  list.place = place;
  list.sha256 = HexEncode(crypto::Sha256(AsBytes(text)));
  Reader reader(place);
  if (text.size() > kBytesMax) return Fail(reader.WrongAt(0, "the file is too large").error());
  // yaml-cpp follows nesting with its own stack, and expands aliases of aliases when walked.
  try {
    const YAML::Node root = YAML::Load(std::string(text));
    KT_TRY(reader.List(root, list.entries));
  } catch (const YAML::Exception& e) {
    return Fail(reader.WrongAt(std::max(0, e.mark.line), e.msg).error());
  } catch (const std::exception& e) {
    return Fail(reader.WrongAt(0, e.what()).error());
  }
  return list;
}

Result<ExceptionList> ReadExceptions(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return Fail(ErrorCode::kUsage, "cannot read " + path + ": " + std::strerror(errno));
  }
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (file.bad()) return Fail(ErrorCode::kUsage, "cannot read " + path);
  return ParseExceptions(text, path);
}

bool Matches(const ExceptionMatch& match, const KeyFacts& facts) {
  return (match.arn.empty() || match.arn == facts.arn) &&
         (match.alias.empty() || HasAlias(facts, match.alias)) &&
         (match.account.empty() || match.account == facts.account) &&
         (match.region.empty() || match.region == facts.region) &&
         (match.tag_key.empty() || HasTag(facts, match)) &&
         (match.glob.empty() || FitsGlob(facts, match.glob));
}

std::string DescribeMatch(const ExceptionMatch& match) {
  std::string text;
  const auto add = [&text](const char* name, const std::string& value) {
    if (value.empty()) return;
    if (!text.empty()) text += ", ";
    text.append(name).append(" ").append(value);
  };
  add("arn", match.arn);
  add("alias", match.alias);
  add("account", match.account);
  add("region", match.region);
  add("tag", match.tag_key.empty() ? "" : match.tag_key + "=" + match.tag_value);
  add("glob", match.glob);
  return text;
}

bool GlobMatches(std::string_view pattern, std::string_view text) {
  // Going back to the last star only is enough, so this is linear in practice and quadratic at
  // most.
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace keyturn::control
