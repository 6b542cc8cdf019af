// KT_CHECK: for programmer errors only, never for input. Aborts with the place; on in all builds.
#pragma once

namespace keyturn {
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition);
}  // namespace keyturn

#define KT_CHECK(condition)                                   \
  do {                                                        \
    if (!(condition)) [[unlikely]] {                          \
      ::keyturn::CheckFailed(__FILE__, __LINE__, #condition); \
    }                                                         \
  } while (false)
