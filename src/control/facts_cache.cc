#include "control/facts_cache.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

#include "base/hex.h"
#include "control/files.h"
#include "control/text.h"
#include "crypto/digest.h"
#include "json/json.h"
#include "model/arn.h"

namespace keyturn::control {
namespace {

constexpr std::string_view kFormat = "keyturn-facts-cache";
constexpr int kVersion = 1;
constexpr std::size_t kBytesMax = 1U << 30;

std::string_view TextOf(json::Value object, std::string_view name) {
  const auto member = object.Find(name);
  return member ? member->AsString().value_or(std::string_view()) : std::string_view();
}

// IsFixed: the verdict follows from what never changes. Imported keys are not among them: what they
// count as may depend on their rotations.
bool IsFixed(const KeyFacts& facts) {
  if (facts.key_manager == "AWS") return true;
  if (facts.key_manager.empty() || facts.key_spec.empty() || facts.origin.empty()) return false;
  return facts.key_spec != "SYMMETRIC_DEFAULT" || facts.origin == "AWS_CLOUDHSM" ||
         facts.origin == "EXTERNAL_KEY_STORE";
}

}  // namespace

std::string FactsCache::NameOf(const KeyFacts& facts) {
  std::string name = facts.endpoint_url.text();
  return name.append(" ").append(facts.arn);
}

Result<FactsCache> FactsCache::Read(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0 && errno == ENOENT) return FactsCache{};
  KT_ASSIGN(const std::string text, ReadWholeFile(path, kBytesMax));
  if (text.empty()) return FactsCache{};
  return Parse(text, path);
}

Result<FactsCache> FactsCache::Parse(std::string_view text, std::string_view place) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  json::Parser parser(json::Limits{.bytes_max = 4096, .depth_max = 4});
  const auto head = parser.Parse(text.substr(0, end));
  if (!head || TextOf(*head, "format") != kFormat) {
    return Fail(ErrorCode::kUsage, std::string(place) + ": is no cache of keyturn");
  }
  const auto version = head->Find("version");
  const std::int64_t number = version ? version->AsInt().value_or(0) : 0;
  if (number > kVersion) {
    return Fail(ErrorCode::kNewerFormat,
                std::string(place) + ": was written by a newer version of keyturn");
  }
  const auto entries = head->Find("entries");
  const std::int64_t count = entries ? entries->AsInt().value_or(-1) : -1;
  const std::string sha256(TextOf(*head, "sha256"));
  const std::string_view lines = end == text.size() ? std::string_view() : text.substr(end + 1);
  FactsCache cache;
  Status good = Fail(ErrorCode::kCorrupt, "its checksum is wrong");
  if (number > 0 && count >= 0 && HexEncode(crypto::Sha256(AsBytes(lines))) == sha256) {
    good = cache.ParseEntries(lines, static_cast<std::uint64_t>(count));
  }
  if (!good) {
    cache.entries_.clear();
    cache.problem_ = "the cache " + std::string(place) + " is damaged (" + good.error().message +
                     "); it is made anew";
  }
  return cache;
}

Status FactsCache::ParseEntries(std::string_view lines, std::uint64_t count) {
  json::Parser parser(json::Limits{.bytes_max = 16384, .depth_max = 4});
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    const auto line = parser.Parse(lines.substr(0, end));
    lines.remove_prefix(std::min(end + 1, lines.size()));
    if (!line) return Fail(ErrorCode::kCorrupt, "a line cannot be read");
    const std::string_view key = TextOf(*line, "key");
    const auto multi_region = line->Find("multi_region");
    const auto flag = multi_region ? multi_region->AsBool() : std::nullopt;
    if (key.empty() || !flag) return Fail(ErrorCode::kCorrupt, "a line has no key");
    entries_[std::string(key)] = {Atom(TextOf(*line, "manager")),
                                  Atom(TextOf(*line, "spec")),
                                  Atom(TextOf(*line, "usage")),
                                  Atom(TextOf(*line, "origin")),
                                  *flag,
                                  false};
  }
  if (entries_.size() != count) return Fail(ErrorCode::kCorrupt, "lines are missing");
  return {};
}

bool FactsCache::Fill(KeyFacts& facts) const {
  const auto found = entries_.find(NameOf(facts));
  if (found == entries_.end()) return false;
  const Entry& entry = found->second;
  entry.seen = true;
  KeyFacts known;
  known.key_manager = entry.key_manager;
  known.key_spec = entry.key_spec;
  known.origin = entry.origin;
  if (!IsFixed(known)) return false;
  facts.key_manager = entry.key_manager;
  facts.key_spec = entry.key_spec;
  facts.key_usage = entry.key_usage;
  facts.origin = entry.origin;
  facts.multi_region = entry.multi_region;
  return true;
}

void FactsCache::Note(const KeyFacts& facts) {
  if (facts.describe_failure || facts.key_manager.empty() || facts.key_spec.empty()) return;
  entries_[NameOf(facts)] = {facts.key_manager, facts.key_spec,     facts.key_usage,
                             facts.origin,      facts.multi_region, true};
}

void FactsCache::DropUnseen(const std::set<Place>& listed) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const std::size_t space = entry->first.find(' ');
    const auto arn = model::Arn::Parse(std::string_view(entry->first).substr(space + 1));
    const bool gone =
        !entry->second.seen &&
        (!arn || listed.contains({entry->first.substr(0, space), std::string(arn->account),
                                  std::string(arn->region)}));
    entry = gone ? entries_.erase(entry) : std::next(entry);
  }
}

std::string FactsCache::Text() const {
  // Sorted, so that the same facts are the same file.
  std::vector<const std::pair<const std::string, Entry>*> sorted;
  sorted.reserve(entries_.size());
  for (const auto& entry : entries_) sorted.push_back(&entry);
  std::sort(sorted.begin(), sorted.end(),
            [](const auto* a, const auto* b) { return a->first < b->first; });
  std::string lines;
  for (const auto* entry : sorted) {
    json::Writer w(lines);
    w.BeginObject().Key("key").String(WellFormed(entry->first));
    w.Key("manager").String(WellFormed(entry->second.key_manager.text()));
    w.Key("spec").String(WellFormed(entry->second.key_spec.text()));
    w.Key("usage").String(WellFormed(entry->second.key_usage.text()));
    w.Key("origin").String(WellFormed(entry->second.origin.text()));
    w.Key("multi_region").Bool(entry->second.multi_region).EndObject();
    lines += '\n';
  }
  std::string text;
  json::Writer w(text);
  w.BeginObject().Key("format").String(kFormat).Key("version").Int(kVersion);
  w.Key("entries").Int(static_cast<std::int64_t>(entries_.size()));
  w.Key("sha256").String(HexEncode(crypto::Sha256(AsBytes(lines)))).EndObject();
  return text + "\n" + lines;
}

Status FactsCache::Write(const std::string& path) const {
  return WriteWholeFile(path, Text(), MayReplace::kAny);
}

}  // namespace keyturn::control
