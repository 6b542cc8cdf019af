// Cluster: a token of the operator's, seen from the server: the worker process that drives it, and
// calls to it.
//
// The worker is started on the first call. When it dies or does not answer in time it is killed and
// reaped, the call fails, and the next one starts it anew, after a pause that doubles from 100 ms
// to 10 s while it keeps failing (kBusy until then). A new worker is logged in with the PIN of the
// call that needs it. A PIN that was refused is not tried again until Login is called: tokens lock
// after a few wrong ones.
//
// Thread-safe: one call at a time, others wait; more than a few waiting are kBusy. Calls block.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>

#include "hsm/protocol.h"

namespace keyturn::hsm {

struct ClusterOptions {
  std::string id;      // cluster-..., as API clients name it
  std::string module;  // path
  std::string token;   // label
  // program: what is run as `program pkcs11-worker --module PATH --token LABEL`.
  std::string program = "/proc/self/exe";
  std::chrono::milliseconds timeout{5000};  // of one call
};

class Cluster {
 public:
  explicit Cluster(ClusterOptions options);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  // Probe: whether module and token are there and can do what is needed. No PIN.
  Reply Probe();
  // Login proves the PIN, whoever was logged in.
  Reply Login(ByteView pin);
  // Logout ends the worker.
  void Logout();
  // Call runs any other action; pin is used when the worker is not logged in.
  Reply Call(const Request& request, ByteView pin);

  const ClusterOptions& options() const { return options_; }
  // worker_pid: 0 when none runs. For tests and metrics.
  pid_t worker_pid() const;

 private:
  using Clock = std::chrono::steady_clock;

  // The rest with mutex_ held.
  bool Start();
  void End();
  void NoteFailure();
  Reply Exchange(const Request& request);
  Reply LoginNow(ByteView pin);

  const ClusterOptions options_;
  std::atomic<unsigned> waiting_{0};
  mutable std::mutex mutex_;
  pid_t pid_ = 0;
  int socket_ = -1;
  bool logged_in_ = false;
  bool pin_refused_ = false;
  Outcome refusal_ = Outcome::kOk;
  std::chrono::milliseconds pause_{0};
  Clock::time_point not_before_{};
};

}  // namespace keyturn::hsm
