// ChainVerifier: follows a chain over the text of its segments. Private to the room; pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "trail/chain.h"
#include "trail/trail.h"

namespace keyturn::trail {

class ChainVerifier {
 public:
  // key must outlive the verifier.
  ChainVerifier(const crypto::Key256& key, Head at_least);

  // StartSegment begins a segment called name, which must start with the next sequence.
  Status StartSegment(std::string_view name, std::uint64_t first_sequence);
  // Feed takes the next bytes of the segment, cut anywhere.
  Status Feed(std::string_view bytes);
  // FinishSegment: only the last segment may be empty or end in lines without a chain line.
  Status FinishSegment(bool last);
  // Finish checks that the chain reached at_least.
  Result<Verification> Finish() const;

 private:
  Status TakeChainLine(std::string_view lines, std::string_view line);
  tl::unexpected<Error> Corrupt(std::string_view what) const;

  const crypto::Key256& key_;
  Head at_least_;
  ChainValue value_ = kFirstPrevious;
  Verification result_;
  std::string name_;
  std::uint64_t line_ = 0;         // number of lines of the segment seen
  std::uint64_t group_lines_ = 0;  // of them, since the last chain line
  std::string pending_;            // bytes since the last chain line
  std::size_t line_start_ = 0;     // of the line not yet complete, in pending_
};

}  // namespace keyturn::trail
