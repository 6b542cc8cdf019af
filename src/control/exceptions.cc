#include "control/exceptions.h"

#include <algorithm>
#include <set>

#include "base/hex.h"
#include "control/files.h"
#include "control/yaml_reader.h"
#include "crypto/digest.h"
#include "model/arn.h"
#include "model/ids.h"

namespace keyturn::control {
namespace {

// A file of this size is no list that people keep.
constexpr int kVersion = 1;
constexpr Days kOneDay{1};
constexpr std::size_t kFileBytesMax = 4 << 20;

Status ReadEntry(const YamlReader& reader, const YamlNode& node, Exception& entry) {
  if (!node.IsMap()) return reader.Wrong(node, "an exception must be a map");
  KT_TRY(
      reader.OnlyFields(node, {"id", "match", "owner", "approver", "ticket", "reason", "expires"}));
  entry.line = node.line;
  KT_TRY(reader.Text(node, "id", entry.id));
  KT_TRY(reader.Text(node, "owner", entry.owner));
  KT_TRY(reader.Text(node, "approver", entry.approver));
  KT_TRY(reader.Text(node, "ticket", entry.ticket));
  KT_TRY(reader.Text(node, "reason", entry.reason));
  KT_TRY(reader.Text(node, "expires", entry.expires));
  const auto day = entry.expires.size() == 10 ? ParseIso8601(entry.expires) : std::nullopt;
  if (!day) return reader.Wrong(*node.Find("expires"), "'expires' must be a day, as 2027-01-31");
  entry.valid_until = *day + kOneDay;
  const YamlNode* const match = node.Find("match");
  if (match == nullptr) return reader.Wrong(node, "'match' is missing");
  return ReadMatch(reader, *match, entry.match);
}

Status ReadList(const YamlReader& reader, const YamlNode& root, std::vector<Exception>& out) {
  KT_TRY(reader.CheckHead(root, kVersion, {"version", "exceptions"}));
  const YamlNode* const list = root.Find("exceptions");
  if (list == nullptr) return reader.Wrong(root, "'exceptions' is missing");
  if (list->IsNull()) return {};
  if (!list->IsList()) return reader.Wrong(*list, "'exceptions' must be a list");
  std::set<std::string> ids;
  for (const YamlNode& node : list->items) {
    Exception entry;
    KT_TRY(ReadEntry(reader, node, entry));
    if (!ids.insert(entry.id).second) {
      return reader.Wrong(node, "id '" + entry.id + "' appears twice");
    }
    out.push_back(std::move(entry));
  }
  return {};
}

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

// IsKeyArn: the ARN of a key, whole: one with a slip in it would match nothing, and nobody would
// know.
bool IsKeyArn(std::string_view text) {
  constexpr std::string_view kKey = "key/";
  const auto arn = model::Arn::Parse(text);
  return arn && arn->service == "kms" && model::Region::IsValid(arn->region) &&
         model::AccountId::Parse(arn->account) && arn->resource.starts_with(kKey) &&
         arn->resource.size() > kKey.size() &&
         std::ranges::all_of(arn->resource.substr(kKey.size()), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  c == '-';
         });
}

Status ReadMatch(const YamlReader& reader, const YamlNode& node, ExceptionMatch& match) {
  if (!node.IsMap() || node.names.empty()) {
    return reader.Wrong(node,
                        "'match' must name at least one of arn, alias, account, region, tag, glob");
  }
  match.line = node.line;
  KT_TRY(reader.OnlyFields(node, {"arn", "alias", "account", "region", "tag", "glob"}));
  KT_TRY(reader.OptionalText(node, "arn", match.arn));
  KT_TRY(reader.OptionalText(node, "alias", match.alias));
  KT_TRY(reader.OptionalText(node, "account", match.account));
  KT_TRY(reader.OptionalText(node, "region", match.region));
  KT_TRY(reader.OptionalText(node, "glob", match.glob));
  if (!match.arn.empty() && !IsKeyArn(match.arn)) {
    return reader.Wrong(*node.Find("arn"),
                        "'arn' must be the whole ARN of a key, "
                        "arn:aws:kms:REGION:ACCOUNT:key/ID; for patterns use 'glob'");
  }
  if (!match.alias.empty() && !match.alias.starts_with("alias/")) {
    return reader.Wrong(*node.Find("alias"), "'alias' must begin with alias/");
  }
  if (!match.region.empty() && !model::Region::IsValid(match.region)) {
    return reader.Wrong(*node.Find("region"), "'region' must be a region's name, like eu-west-1");
  }
  if (!match.account.empty() && !model::AccountId::Parse(match.account)) {
    return reader.Wrong(*node.Find("account"), "'account' must be 12 digits, in quotes");
  }
  if (const YamlNode* const tag = node.Find("tag")) {
    if (!tag->IsMap()) return reader.Wrong(*tag, "'tag' must be a map with 'key' and 'value'");
    KT_TRY(reader.OnlyFields(*tag, {"key", "value"}));
    KT_TRY(reader.Text(*tag, "key", match.tag_key));
    KT_TRY(reader.Text(*tag, "value", match.tag_value));
  }
  return {};
}

Result<ExceptionList> ParseExceptions(std::string_view text, std::string_view place) {
  ExceptionList list;
  list.place = place;
  list.sha256 = HexEncode(crypto::Sha256(AsBytes(text)));
  const YamlReader reader(place);
  KT_ASSIGN(const YamlNode root, reader.Parse(text, {.bytes_max = kFileBytesMax}));
  KT_TRY(ReadList(reader, root, list.entries));
  return list;
}

Result<ExceptionList> ReadExceptions(const std::string& path) {
  KT_ASSIGN(const std::string text, ReadWholeFile(path, kFileBytesMax));
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

Fit FitOf(const ExceptionMatch& match, const KeyFacts& facts, bool tags_known) {
  // What was read is certain, also where the rest could not be.
  ExceptionMatch sure = match;
  bool maybe = false;
  const auto doubt = [&maybe](std::string& field) {
    field.clear();
    maybe = true;
  };
  if (!tags_known && !match.tag_key.empty() && !HasTag(facts, match)) doubt(sure.tag_key);
  if (facts.aliases_unknown) {
    if (!match.glob.empty() && !FitsGlob(facts, match.glob)) doubt(sure.glob);
    if (!match.alias.empty() && !HasAlias(facts, match.alias)) doubt(sure.alias);
  }
  if (!Matches(sure, facts)) return Fit::kNo;
  return maybe ? Fit::kMaybe : Fit::kYes;
}

std::string UnreadText(const ExceptionMatch& match, const KeyFacts& facts) {
  std::string text = DescribeMatch(match);
  if (facts.tags_failure && !match.tag_key.empty()) {
    text += "; ListResourceTags failed with " + facts.tags_failure->error_code;
  } else if (facts.aliases_unknown) {
    text += "; its aliases could not be read, ListAliases failed";
  }
  return text;
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
