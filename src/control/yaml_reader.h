// YamlReader: strict reading of the YAML files that people write: every error names file and line.
//
// A text becomes a tree first, within limits, so that what reads it meets no parser, no exception
// and no node that is shared. Aliases are followed, and count each time towards the limits; names
// of fields are texts and come once. Scalars are texts: what they mean is the business of who
// reads. Private to this room. Thread-safety: values and pure functions. Errors: kUsage.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace keyturn::control {

struct YamlNode {
  enum class Kind { kNull, kText, kList, kMap };
  Kind kind = Kind::kNull;
  int line = 1;  // from 1
  std::string text;
  std::vector<YamlNode> items;     // of a list; of a map the values, in the order of the file
  std::vector<std::string> names;  // of a map, one for each item
  std::vector<int> name_lines;     // where each name stands

  bool IsMap() const { return kind == Kind::kMap; }
  bool IsList() const { return kind == Kind::kList; }
  bool IsText() const { return kind == Kind::kText; }
  bool IsNull() const { return kind == Kind::kNull; }
  // Find: null when there is no such member.
  const YamlNode* Find(std::string_view name) const;
};

struct YamlLimits {
  std::size_t bytes_max = 4 << 20;
  std::size_t nodes_max = 500'000;
  int depth_max = 16;
};

class YamlReader {
 public:
  // place is the file's name for messages, and must outlive the reader.
  explicit YamlReader(std::string_view place) : place_(place) {}

  Result<YamlNode> Parse(std::string_view text, const YamlLimits& limits = {}) const;
  // CheckHead: a map with these fields only, whose 'version' is the one that is known.
  Status CheckHead(const YamlNode& root, int version,
                   std::initializer_list<std::string_view> fields) const;

  std::string PlaceOf(const YamlNode& node) const;  // "file:line"
  Status Wrong(const YamlNode& node, const std::string& what) const;

  Status OnlyFields(const YamlNode& map, std::initializer_list<std::string_view> known) const;
  // Text reads a field that must be there and not be blank; OptionalText leaves out as it is when
  // there is none.
  Status Text(const YamlNode& map, std::string_view name, std::string& out) const;
  Status OptionalText(const YamlNode& map, std::string_view name, std::string& out) const;
  Status OptionalBool(const YamlNode& map, std::string_view name, bool& out) const;
  Status OptionalInt(const YamlNode& map, std::string_view name, int min, int max,
                     std::optional<int>& out) const;
  // IntOf reads a whole number of min to max from a node.
  Status IntOf(const YamlNode& node, std::string_view name, int min, int max, int& out) const;
  // Texts reads a list with at least one entry; each must be good, as what says, and there once.
  Status Texts(const YamlNode& list, std::string_view name, bool (*good)(std::string_view),
               std::string_view what, std::vector<std::string>& out) const;

 private:
  Status WrongAt(int line, const std::string& what) const;
  const std::string_view place_;
};

}  // namespace keyturn::control
