// Exceptions: keys that may fail for a while, and who says so. docs/formats/exceptions.md has the
// file format.
//
// An exception turns a FAIL into EXCEPTED and keeps the key out of every plan; once expired it does
// nothing but be reported.
// Thread-safety: values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "control/run.h"

namespace keyturn::control {

struct YamlNode;
class YamlReader;

// ExceptionMatch: every field that is not empty must match.
struct ExceptionMatch {
  std::string arn{};
  std::string alias{};  // "alias/name"
  std::string account{};
  std::string region{};
  std::string tag_key{};
  std::string tag_value{};
  std::string glob{};  // '*' and '?', against the ARN and each alias
  int line = 0;        // in its file
};

struct Exception {
  std::string id;
  ExceptionMatch match;
  std::string owner;
  std::string approver;
  std::string ticket;
  std::string reason;
  std::string expires;    // "2027-01-31": valid through the end of that day, UTC
  TimePoint valid_until;  // the first instant at which it is not valid
  int line = 0;

  bool ExpiredAt(TimePoint now) const { return now >= valid_until; }
};

struct ExceptionList {
  std::string place;   // the file's path, for messages
  std::string sha256;  // of the file's bytes, hex; empty when there is no file
  std::vector<Exception> entries;

  // UsesTags: matching needs the tags of keys.
  bool UsesTags() const;
};

// ParseExceptions: kUsage with file and line when the text is not YAML or not of the format:
// unknown fields, missing ones, a bad date, an id that appears twice.
Result<ExceptionList> ParseExceptions(std::string_view text, std::string_view place);
// ReadExceptions: the same for a file; kUsage when it cannot be read.
Result<ExceptionList> ReadExceptions(const std::string& path);

// ReadMatch reads a match; kUsage with file and line. Private to this room.
Status ReadMatch(const YamlReader& reader, const YamlNode& node, ExceptionMatch& match);

// Matches: needs facts.tags when the match names a tag.
bool Matches(const ExceptionMatch& match, const KeyFacts& facts);
// FitOf: as Matches, but kMaybe where that depends on aliases, or on tags, that are not known.
enum class Fit : std::uint8_t { kNo, kMaybe, kYes };
Fit FitOf(const ExceptionMatch& match, const KeyFacts& facts, bool tags_known);
// UnreadText: the match, and what could not be read of the key that it depends on.
std::string UnreadText(const ExceptionMatch& match, const KeyFacts& facts);
// DescribeMatch: "arn arn:aws:...", "alias alias/x, account 111122223333".
std::string DescribeMatch(const ExceptionMatch& match);

// GlobMatches: '*' any run of characters, '?' one character, anything else itself.
bool GlobMatches(std::string_view pattern, std::string_view text);

}  // namespace keyturn::control
