#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace keyturn {

void CheckFailed(const char* file, int line, const char* condition) {
  std::fprintf(stderr, "%s:%d: check failed: %s\n", file, line, condition);
  std::abort();
}

}  // namespace keyturn
