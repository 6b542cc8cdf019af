// Lookup: records of a trail from its end, for showing them. Nothing is verified: `keyturn trail
// verify` does that.
//
// Thread-safety: free functions; a trail that is written meanwhile may be read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>

#include "base/error.h"

namespace keyturn::trail {

// Place: between two records. offset is in the segment that begins with first_sequence.
struct Place {
  std::uint64_t first_sequence = 0;
  std::uint64_t offset = 0;
};

// RecordVisitor takes a record (without '\n') and its place, from which reading can go on to the
// records before it. Returns false to stop.
using RecordVisitor = std::function<bool(std::string_view record, const Place& place)>;

// ReadBackwards visits the records before a place (none: from the end), newest first, until the
// visitor stops it or about bytes_max were read. It returns from where to go on; nothing at the
// trail's beginning. A line at the end that is not whole yet is left out. kUsage for a place that
// is not in the trail.
Result<std::optional<Place>> ReadBackwards(const std::filesystem::path& data_directory,
                                           const std::optional<Place>& before,
                                           std::uint64_t bytes_max, const RecordVisitor& visit);

}  // namespace keyturn::trail
