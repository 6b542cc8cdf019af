#include "hsm/worker.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "hsm/protocol.h"
#include "hsm/token.h"

namespace keyturn::hsm {

int RunWorker(const std::string& module, const std::string& token_label) {
  // The server may be gone already: then nobody is at the other end, and reading says so.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_NAME, "pkcs11-worker");
  close_range(kWorkerSocket + 1, ~0U, 0);  // nothing of the server's is open here
  Token token(module, token_label);
  for (;;) {
    const auto frame = ReceiveFrame(kWorkerSocket, {});
    if (!frame) return frame.error().code == ErrorCode::kNetwork ? 0 : 1;
    const auto request = DecodeRequest(frame->reveal());
    if (!request) {
      LogError("pkcs11-worker: {}", request.error().message);
      return 1;
    }
    const SecretBytes reply = Encode(token.Run(*request));
    if (!SendFrame(kWorkerSocket, reply.reveal(), {})) return 0;
  }
}

}  // namespace keyturn::hsm
