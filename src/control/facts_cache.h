// FactsCache: what never changes about keys (KeyManager, KeySpec, KeyUsage, Origin, MultiRegion),
// kept in a file from one audit to the next, so that keys whose verdict follows from it alone need
// no call. State and primary or replica role are never taken from here. docs/formats/facts-cache.md
// has the format.
//
// Thread-safety: one thread. A file that is damaged is made anew, and problem() says so; a file
// that is something else is refused, and left alone.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "base/error.h"
#include "control/run.h"

namespace keyturn::control {

class FactsCache {
 public:
  // Read: a file that is not there is an empty cache; kUsage when path holds something else, or
  // cannot be read; kNewerFormat.
  static Result<FactsCache> Read(const std::string& path);
  // Parse: the same of a text; damage empties the cache.
  static Result<FactsCache> Parse(std::string_view text, std::string_view place);

  // problem: why the file was not used; empty when there was nothing wrong with it.
  const std::string& problem() const { return problem_; }
  std::size_t size() const { return entries_.size(); }

  // Fill completes the facts of a key that is known and whose kind alone decides that automatic
  // rotation does not apply to it; false for every other key.
  bool Fill(KeyFacts& facts) const;
  // Note remembers a key that DescribeKey has told about.
  void Note(const KeyFacts& facts);
  // DropUnseen forgets the keys of regions that were listed to their ends and did not have them.
  // Called once, after all of Fill and Note.
  using Place = std::tuple<std::string, std::string, std::string>;  // endpoint, account, region
  void DropUnseen(const std::set<Place>& listed);

  // Write replaces the file in one step.
  Status Write(const std::string& path) const;
  std::string Text() const;

 private:
  struct Entry {
    Atom key_manager;
    Atom key_spec;
    Atom key_usage;
    Atom origin;
    bool multi_region = false;
    mutable bool seen = false;  // in this run
  };
  static std::string NameOf(const KeyFacts& facts);
  Status ParseEntries(std::string_view lines, std::uint64_t count);

  std::unordered_map<std::string, Entry> entries_;  // by endpoint, a space, and ARN
  std::string problem_;
};

}  // namespace keyturn::control
