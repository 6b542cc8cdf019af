// Trail: no crash on any segment; the verdict does not depend on how the bytes are cut; a chain
// over any records verifies, and stops verifying when any byte changes; a redo log holds what was
// written to it and nothing else.
#include <algorithm>

#include "base/check.h"
#include "base/hex.h"
#include "trail/chain.h"
#include "trail/redo_log.h"
#include "trail/tail.h"
#include "trail/verify.h"

namespace {

using namespace keyturn;
using namespace keyturn::trail;

struct Verdict {
  bool intact = false;
  std::uint64_t sequence = 0;
  std::uint64_t open_bytes = 0;
  bool operator==(const Verdict&) const = default;
};

Verdict VerdictOn(const crypto::Key256& key, std::string_view segment, std::size_t cut,
                  const Head& at_least) {
  ChainVerifier verifier(key, at_least);
  KT_CHECK(verifier.StartSegment("fuzz", 1));
  if (!verifier.Feed(segment.substr(0, cut)) || !verifier.Feed(segment.substr(cut)) ||
      !verifier.FinishSegment(true)) {
    return {};
  }
  const auto result = verifier.Finish();
  return result ? Verdict{true, result->head.sequence, result->open_bytes} : Verdict{};
}

void CheckParser(std::string_view text) {
  const auto chain = ParseChainLine(text);
  if (!chain) {
    return;
  }
  KT_CHECK(IsChainLine(text) && chain->sequence > 0 && chain->bytes > 0);
  KT_CHECK(text ==
           std::string(chain->signed_text) + ",\"value\":\"" + HexEncode(chain->value) + "\"}");
}

// CheckChain makes each line of the text a record, chains them two by two, and changes one byte.
void CheckChain(const crypto::Key256& key, std::string_view text) {
  std::string segment;
  ChainStep step;
  std::string lines;
  const auto close = [&] {
    step.lines = lines;
    ++step.sequence;
    segment += lines;
    step.previous = AppendChainLine(key, step, segment);
    lines.clear();
  };
  int count = 0;
  for (std::string_view rest = text.substr(0, 4096); !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    lines.append("{").append(line).append("}\n");
    if (IsChainLine(std::string_view(lines).substr(lines.size() - line.size() - 3))) {
      return;  // Append refuses such a line
    }
    if (++count % 2 == 0) {
      close();
    }
  }
  if (!lines.empty()) {
    close();
  }
  if (segment.empty()) {
    return;
  }
  const Head head{step.sequence, HexEncode(step.previous)};
  KT_CHECK((VerdictOn(key, segment, segment.size() / 2, head) == Verdict{true, step.sequence, 0}));
  std::size_t place = text.size();
  for (const char c : text) {
    place = place * 31 + static_cast<unsigned char>(c);
  }
  char& changed = segment[place % segment.size()];
  changed = static_cast<char>(changed ^ (1 << (place % 7)));
  KT_CHECK(!VerdictOn(key, segment, 0, head).intact);
}

// CheckRedoLog: a redo log of the text's lines gives each of them back; with a changed byte, no
// other.
void CheckRedoLog(const crypto::Key256& key, std::string_view text) {
  const crypto::Key256 redo_key = RedoKey(key);
  constexpr std::size_t kPage = 4096;
  std::string log;
  std::vector<std::string> groups;
  ChainPlace place;
  for (std::string_view rest = text.substr(0, 4096); !rest.empty() && groups.size() < 8;) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    std::string& bytes = groups.emplace_back("{" + std::string(line) + "}\n");
    if (IsChainLine(bytes)) {
      return;
    }
    const std::string lines = bytes;
    const ChainValue value =
        AppendChainLine(key, {place.value, place.sequence + 1, lines, false}, bytes);
    const RedoGroup group{1, place, {}, value, bytes};
    AppendRedoGroup(redo_key, group, log);
    log.resize((log.size() + kPage - 1) / kPage * kPage);
    place = group.end();
  }
  const auto count_of_ours = [&] {
    const auto found = FindRedoGroups(log, key);
    for (const RedoGroup& group : found) {
      KT_CHECK(std::find(groups.begin(), groups.end(), group.bytes) != groups.end());
    }
    return found.size();
  };
  KT_CHECK(count_of_ours() == groups.size());
  if (!log.empty()) {
    const std::size_t place_of_change = text.size() * 977 % log.size();
    log[place_of_change] = static_cast<char>(log[place_of_change] ^ 0x20);
    KT_CHECK(count_of_ours() + 1 >= groups.size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const crypto::Key256 key;
  const std::string_view text = AsText({data, size});
  CheckParser(text);
  const Verdict verdict = VerdictOn(key, text, text.size(), {});
  for (std::size_t cut : {std::size_t{0}, text.size() / 3, text.size() - text.size() / 5}) {
    KT_CHECK(VerdictOn(key, text, cut, {}) == verdict);
  }
  KT_CHECK(KeepableBytes(text) <= text.size());
  CheckChain(key, text);
  (void)FindRedoGroups(text, key);
  CheckRedoLog(key, text);
  return 0;
}
