// Tail: the end of a segment, found from behind, so that opening a trail does not read all of it.
// Private to the room.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "trail/chain.h"
#include "trail/file_ops.h"
#include "trail/files.h"
#include "trail/trail.h"

namespace keyturn::trail {

// ChainEnd: the last chain line of a trail, verified against the one before it.
struct ChainEnd {
  std::uint64_t sequence = 0;  // 0: nothing was ever appended
  ChainValue value = kFirstPrevious;
  std::uint64_t chained_size = 0;  // bytes of the last segment up to and with its last chain line
  std::string open;                // what is behind them
};

// FindChainEnd looks at the last segment, and at the one before it as far as needed. kCorrupt when
// the last chain line is malformed or does not verify, when the last segment is not the next one by
// its name, or when more is open than one Append writes. segments must not be empty.
Result<ChainEnd> FindChainEnd(const std::vector<Segment>& segments, const crypto::Key256& key);

// Reaches: whether a chain that ends there has come as far as the head that is known.
bool Reaches(std::uint64_t sequence, const ChainValue& value, const Head& at_least);

// KeepableBytes: how much of the open bytes is whole records: JSON objects, one a line.
std::size_t KeepableBytes(std::string_view open);

// EventIdsAtEnd: the eventID of every record in the last bytes_max bytes.
Result<std::vector<std::string>> EventIdsAtEnd(const std::vector<Segment>& segments,
                                               std::uint64_t bytes_max);

// SetAside keeps bytes that are cut off a segment in a file of their own, since they may be
// evidence: <segment>.<offset>.torn, synced when it returns.
Status SetAside(FileOps& ops, const Segment& segment, std::uint64_t offset, std::string_view torn,
                int directory_fd);

}  // namespace keyturn::trail
