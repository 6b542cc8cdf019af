// The worker as `keyturn pkcs11-worker` runs it, for the unit tests of the room hsm.
#include <cstring>

#include "hsm/worker.h"

int main(int argc, char** argv) {
  if (argc != 6 || std::strcmp(argv[1], "pkcs11-worker") != 0) return 2;
  return keyturn::hsm::RunWorker(argv[3], argv[5]);
}
