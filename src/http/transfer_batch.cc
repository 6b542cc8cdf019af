#include "http/transfer_batch.h"

#include <liburing.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/log.h"

namespace keyturn::http {
namespace {

Transfer ResultOf(int result) {
  if (result > 0) return {TransferState::kDone, static_cast<std::size_t>(result)};
  if (result == 0) return {TransferState::kEnded};
  return {result == -EAGAIN ? TransferState::kWouldBlock : TransferState::kFailed};
}

}  // namespace

// Ring: what the kernel shares with us. A transfer's place in the batch is its user data.
class TransferBatch::Ring {
 public:
  // Create is null when the kernel refuses; refusal is its reason then, 0 otherwise.
  static std::unique_ptr<Ring> Create(int& refusal);
  ~Ring();
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  void Add(std::size_t place, const Wanted& wanted);
  // Submit makes what was added, count transfers; errno's number when the kernel did not take all
  // of them: then done tells which it took, and the ring is of no more use.
  int Submit(std::size_t count, std::span<Transfer> results, Done& done);

 private:
  Ring() = default;
  // Restrict makes the ring, before it takes anything, refuse what is not needed here.
  int Restrict();
  void Collect(std::span<Transfer> results, Done& done);

  io_uring ring_{};
  bool made_ = false;
};

std::unique_ptr<TransferBatch::Ring> TransferBatch::Ring::Create(int& refusal) {
  std::unique_ptr<Ring> ring(new Ring);
  refusal = -io_uring_queue_init(kTransfersMax, &ring->ring_, IORING_SETUP_R_DISABLED);
  ring->made_ = refusal == 0;
  if (ring->made_) {
    refusal = -ring->Restrict();
  }
  return refusal == 0 ? std::move(ring) : nullptr;
}

TransferBatch::Ring::~Ring() {
  if (made_) {
    io_uring_queue_exit(&ring_);
  }
}

int TransferBatch::Ring::Restrict() {
  std::array<io_uring_restriction, 2> allowed{};
  allowed[0].opcode = IORING_RESTRICTION_SQE_OP;
  allowed[0].sqe_op = IORING_OP_RECV;
  allowed[1].opcode = IORING_RESTRICTION_SQE_OP;
  allowed[1].sqe_op = IORING_OP_SEND;
  // liburing 2.3 declares calls for both, and forgot to export them.
  const auto ring = static_cast<unsigned>(ring_.ring_fd);
  const int failed =
      io_uring_register(ring, IORING_REGISTER_RESTRICTIONS, allowed.data(), allowed.size());
  return failed < 0 ? failed : io_uring_register(ring, IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
}

// MSG_DONTWAIT makes the kernel answer at once, and not wait on our behalf.
void TransferBatch::Ring::Add(std::size_t place, const Wanted& wanted) {
  io_uring_sqe* entry = io_uring_get_sqe(&ring_);
  KT_CHECK(entry != nullptr);
  const int descriptor = wanted.socket->descriptor();
  if (wanted.text.empty()) {
    io_uring_prep_recv(entry, descriptor, wanted.space.data(), wanted.space.size(), MSG_DONTWAIT);
  } else {
    io_uring_prep_send(entry, descriptor, wanted.text.data(), wanted.text.size(),
                       MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  io_uring_sqe_set_data64(entry, place);
}

int TransferBatch::Ring::Submit(std::size_t count, std::span<Transfer> results, Done& done) {
  while (done.count() < count) {
    const auto missing = static_cast<unsigned>(count - done.count());
    const int taken = io_uring_submit_and_wait(&ring_, missing);
    Collect(results, done);
    if (taken < 0 && taken != -EINTR) {
      return -taken;
    }
  }
  return 0;
}

void TransferBatch::Ring::Collect(std::span<Transfer> results, Done& done) {
  unsigned seen = 0;
  unsigned head = 0;
  const io_uring_cqe* entry = nullptr;
  io_uring_for_each_cqe(&ring_, head, entry) {
    const auto place = static_cast<std::size_t>(io_uring_cqe_get_data64(entry));
    results[place] = ResultOf(entry->res);
    done.set(place);
    ++seen;
  }
  io_uring_cq_advance(&ring_, seen);
}

TransferBatch::TransferBatch(bool shares_calls) {
  if (shares_calls) {
    ring_ = Ring::Create(refusal_);
  }
}

TransferBatch::~TransferBatch() = default;

void TransferBatch::Receive(Socket& socket, std::span<char> space) {
  KT_CHECK(!full() && !space.empty());
  wanted_[size_++] = {&socket, space, {}};
}

void TransferBatch::Send(Socket& socket, std::string_view text) {
  KT_CHECK(!full() && !text.empty());
  wanted_[size_++] = {&socket, {}, text};
}

std::span<const Transfer> TransferBatch::Run() {
  const std::size_t count = std::exchange(size_, 0);
  Done done;
  if (ring_ != nullptr && count > 1) {
    RunShared(count, done);
  }
  for (std::size_t place = 0; place < count; ++place) {
    if (!done[place]) {
      const Wanted& wanted = wanted_[place];
      results_[place] = wanted.text.empty() ? wanted.socket->Receive(wanted.space)
                                            : wanted.socket->Send(wanted.text);
    }
  }
  return std::span<const Transfer>(results_).first(count);
}

// RunShared leaves to Run what the kernel did not take; a transfer is taken when it is made.
void TransferBatch::RunShared(std::size_t count, Done& done) {
  for (std::size_t place = 0; place < count; ++place) {
    ring_->Add(place, wanted_[place]);
  }
  refusal_ = ring_->Submit(count, results_, done);
  if (refusal_ != 0) {
    ring_.reset();  // with what it has not taken
    LogWarning("io_uring failed, each transfer is a call of its own now: {}",
               std::strerror(refusal_));
  }
}

}  // namespace keyturn::http
