#include "hsm/cluster.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "base/log.h"
#include "hsm/worker.h"

extern char** environ;  // NOLINT: its name is POSIX's

namespace keyturn::hsm {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPauseMin{100};
constexpr milliseconds kPauseMax{10000};
// Callers that may wait for one worker; each holds a thread.
constexpr unsigned kWaitingMax = 6;

Reply Failed(Outcome outcome) {
  Reply reply;
  reply.outcome = outcome;
  return reply;
}

// Spawner: posix_spawn's two parameter objects, released whatever happens.
class Spawner {
 public:
  Spawner() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
  }
  ~Spawner() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  Spawner(const Spawner&) = delete;
  Spawner& operator=(const Spawner&) = delete;

  // Run gives the program the socket, no other input or output, and signals as a shell would. Its
  // process group is its own: an interrupt from the terminal is the server's to handle.
  int Run(const std::string& program, char* const* arguments, int socket, pid_t& pid) {
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, socket, kWorkerSocket);
    sigset_t none;
    sigemptyset(&none);
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &defaults);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    return posix_spawn(&pid, program.c_str(), &actions_, &attributes_, arguments, environ);
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

}  // namespace

Cluster::Cluster(ClusterOptions options) : options_(std::move(options)) {}

Cluster::~Cluster() { Logout(); }

bool Cluster::Start() {
  std::array<int, 2> sockets{-1, -1};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()) != 0) {
    LogError("{}: cannot make a socket pair: {}", options_.id, std::strerror(errno));
    return false;
  }
  std::array<std::string, 6> words = {options_.program, "pkcs11-worker", "--module",
                                      options_.module,  "--token",       options_.token};
  std::array<char*, 7> arguments{};
  std::transform(words.begin(), words.end(), arguments.begin(),
                 [](std::string& word) { return word.data(); });
  const int error = Spawner().Run(options_.program, arguments.data(), sockets[1], pid_);
  close(sockets[1]);
  if (error != 0) {
    LogError("{}: cannot start {}: {}", options_.id, options_.program, std::strerror(error));
    close(sockets[0]);
    pid_ = 0;
    return false;
  }
  socket_ = sockets[0];
  logged_in_ = false;
  return true;
}

void Cluster::End() {
  if (pid_ == 0) return;
  close(socket_);
  socket_ = -1;
  kill(pid_, SIGKILL);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
  logged_in_ = false;
}

void Cluster::NoteFailure() {
  End();
  pause_ = std::clamp(pause_ * 2, kPauseMin, kPauseMax);
  not_before_ = Clock::now() + pause_;
}

Reply Cluster::Exchange(const Request& request) {
  if (pid_ == 0) {
    if (Clock::now() < not_before_) return Failed(Outcome::kBusy);
    if (!Start()) {
      NoteFailure();
      return Failed(Outcome::kCrashed);
    }
  }
  const Deadline deadline = Clock::now() + options_.timeout;
  const SecretBytes frame = Encode(request);
  const Status sent = SendFrame(socket_, frame.reveal(), deadline);
  auto answer = sent ? ReceiveFrame(socket_, deadline) : Fail(sent.error());
  auto reply = answer ? DecodeReply(answer->reveal()) : Fail(answer.error());
  if (!reply) {
    const bool late = reply.error().code == ErrorCode::kTimeout;
    LogError("{}: {} {}: {}", options_.id, options_.module,
             late ? "did not return in time and was ended" : "ended its process or broke it",
             reply.error().message);
    NoteFailure();
    return Failed(late ? Outcome::kTimedOut : Outcome::kCrashed);
  }
  pause_ = milliseconds{0};
  if (reply->outcome == Outcome::kNotLoggedIn || reply->outcome == Outcome::kNoToken) {
    logged_in_ = false;
  }
  if (reply->outcome == Outcome::kFailed) {
    LogError("{}: {} answers CKR {:#x}", options_.id, options_.module, reply->code);
  }
  return std::move(*reply);
}

Reply Cluster::LoginNow(ByteView pin) {
  Request login;
  login.action = Action::kLogin;
  login.pin = SecretBytes::CopyOf(pin);
  Reply reply = Exchange(login);
  logged_in_ = reply.ok();
  pin_refused_ = reply.outcome == Outcome::kPinIncorrect || reply.outcome == Outcome::kPinLocked;
  refusal_ = reply.outcome;
  return reply;
}

Reply Cluster::Probe() {
  const std::scoped_lock lock(mutex_);
  Request probe;
  probe.action = Action::kProbe;
  return Exchange(probe);
}

Reply Cluster::Login(ByteView pin) {
  const std::scoped_lock lock(mutex_);
  return LoginNow(pin);
}

void Cluster::Logout() {
  const std::scoped_lock lock(mutex_);
  End();
}

Reply Cluster::Call(const Request& request, ByteView pin) {
  struct Turn {
    std::atomic<unsigned>& waiting;
    unsigned number;
    explicit Turn(std::atomic<unsigned>& counter) : waiting(counter), number(++counter) {}
    ~Turn() { --waiting; }
  } const turn(waiting_);
  if (turn.number > kWaitingMax) return Failed(Outcome::kBusy);
  const std::scoped_lock lock(mutex_);
  if (pin_refused_) return Failed(refusal_);
  // Twice: a session that the token has closed is opened again, once.
  for (int attempt = 0;; ++attempt) {
    if (!logged_in_) {
      if (Reply login = LoginNow(pin); !login.ok()) return login;
    }
    Reply reply = Exchange(request);
    if (reply.outcome != Outcome::kNotLoggedIn || attempt > 0) return reply;
  }
}

pid_t Cluster::worker_pid() const {
  const std::scoped_lock lock(mutex_);
  return pid_;
}

}  // namespace keyturn::hsm
