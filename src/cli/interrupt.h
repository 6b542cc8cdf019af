// Interrupt: Ctrl-C and SIGTERM ask a run to stop in good order; a second one ends the program at
// once.
// Thread-safety: Requested may be read from any thread.
#pragma once

#include <atomic>

namespace keyturn::cli {

// CatchInterrupts installs the handlers for the rest of the process and returns the flag that they
// set. The flag lives as long as the process.
const std::atomic<bool>& CatchInterrupts();

}  // namespace keyturn::cli
