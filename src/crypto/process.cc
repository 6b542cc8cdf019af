#include "crypto/process.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstring>

namespace keyturn::crypto {

Status HardenProcess() {
  const rlimit none{0, 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    return Fail(ErrorCode::kIo, std::string("cannot turn core dumps off: ") + std::strerror(errno));
  }
  return {};
}

}  // namespace keyturn::crypto
