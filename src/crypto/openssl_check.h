// Shared by the .cc files of this room only: one way to stop when OpenSSL fails where it cannot
// fail without the process being broken (no memory, no provider).
#pragma once

#include "base/check.h"

#define KT_OPENSSL(call) KT_CHECK((call) == 1)
