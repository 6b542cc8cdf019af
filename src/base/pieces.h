// Pieces: a long text handed on bit by bit, so that it never stands in memory whole.
//
// Thread-safety: as the functions themselves.
#pragma once

#include <functional>
#include <string_view>

#include "base/error.h"

namespace keyturn {

// TextSink takes the next piece of a text; the view lives for the call.
using TextSink = std::function<Status(std::string_view piece)>;
// TextSource hands all of a text to a sink, in order, and stops with the sink's first failure. It
// may be run again and gives the same text.
using TextSource = std::function<Status(const TextSink& sink)>;

// WholeText is the source of a text that is there; the text must outlive it.
inline TextSource WholeText(std::string_view text) {
  return [text](const TextSink& sink) { return sink(text); };
}

}  // namespace keyturn
