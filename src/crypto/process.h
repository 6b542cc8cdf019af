// Process: what the operating system may keep of our memory.
#pragma once

#include "base/error.h"

namespace keyturn::crypto {

// HardenProcess turns core dumps off and forbids other processes of the same user to read this
// one's memory. Call it before any secret is loaded. kIo when the kernel refuses.
Status HardenProcess();

}  // namespace keyturn::crypto
