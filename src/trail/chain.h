// Chain: the lines that bind the records of a trail together. docs/formats/trail.md has the
// grammar.
//
// A chain line closes the lines before it, back to the previous chain line or the start of the
// segment. Its value is an HMAC over the previous value, those lines, and its own text up to the
// value. Pure; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "crypto/digest.h"
#include "crypto/kdf.h"

namespace keyturn::trail {

using ChainValue = crypto::Sha256Digest;

// kFirstPrevious is the previous value of sequence 1.
inline constexpr ChainValue kFirstPrevious{};

// kGroupBytesMax: the most that one chain line can close. Append refuses more, readers stop there.
inline constexpr std::size_t kGroupBytesMax = 64U << 20;

struct ChainLine {
  std::uint64_t sequence = 0;  // 1, 2, ...
  std::uint64_t bytes = 0;     // of the lines that it closes
  bool recovered = false;      // written at start, for lines that a crash had left open
  ChainValue value{};
  std::string_view signed_text;  // the part of the line that value covers
};

// IsChainLine: whether a line (without '\n') claims to be one. No record does: records start with
// their eventVersion.
bool IsChainLine(std::string_view line);

// AreRecordLines: each line is one JSON object by its looks, none could pass for a chain line, and
// all of them fit one group.
bool AreRecordLines(std::string_view text);

// ParseChainLine takes exactly what AppendChainLine writes, without '\n'. kMalformed otherwise;
// kNewerFormat when the format number is higher than ours.
Result<ChainLine> ParseChainLine(std::string_view line);

// ComputeChainValue: what the value of a chain line must be.
ChainValue ComputeChainValue(const crypto::Key256& key, const ChainValue& previous,
                             std::string_view lines, std::string_view signed_text);

// Verifies: whether the chain line closes those lines, behind a chain line of that value.
bool Verifies(const crypto::Key256& key, const ChainValue& previous, std::string_view lines,
              const ChainLine& chain);

// ChainStep: what a new chain line closes.
struct ChainStep {
  ChainValue previous{};
  std::uint64_t sequence = 0;
  std::string_view lines;
  bool recovered = false;
};

// AppendChainLine appends the line and '\n', and returns its value. step.lines may be a view into
// out only if out has room for another kChainLineBytesMax.
inline constexpr std::size_t kChainLineBytesMax = 192;
ChainValue AppendChainLine(const crypto::Key256& key, const ChainStep& step, std::string& out);

}  // namespace keyturn::trail
