// TransferBatch: what many sockets receive or send, by one system call for all of them where the
// kernel offers io_uring, by one for each where it does not.
//
// Nothing waits: a transfer that cannot be made at once is kWouldBlock, so that the kernel keeps no
// buffer when Run returns. The ring is restricted to receiving and sending (docs/adr/0014).
// Thread-safety: none of its own. Source: io_uring(7), io_uring_register(2).
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "http/socket.h"

namespace keyturn::http {

class TransferBatch {
 public:
  static constexpr std::size_t kTransfersMax = 128;

  // shares_calls false: one call for each transfer, whatever the kernel offers.
  explicit TransferBatch(bool shares_calls);
  ~TransferBatch();
  TransferBatch(const TransferBatch&) = delete;
  TransferBatch& operator=(const TransferBatch&) = delete;

  // shares_calls: false where the kernel refuses io_uring; refusal() is its reason then, as errno.
  bool shares_calls() const { return ring_ != nullptr; }
  int refusal() const { return refusal_; }

  // Receive and Send add a transfer, as Socket's calls of these names would make it; at most
  // kTransfersMax. The socket and its bytes stay where they are until Run has returned.
  void Receive(Socket& socket, std::span<char> space);
  void Send(Socket& socket, std::string_view text);
  bool full() const { return size_ == kTransfersMax; }

  // Run makes the transfers and empties the batch. The results, in the order of adding, are valid
  // until the next call; errno says nothing of them.
  std::span<const Transfer> Run();

 private:
  class Ring;
  using Done = std::bitset<kTransfersMax>;
  struct Wanted {
    Socket* socket = nullptr;
    std::span<char> space;
    std::string_view text;  // what is sent; empty: space is received into
  };
  void RunShared(std::size_t count, Done& done);

  int refusal_ = 0;
  std::unique_ptr<Ring> ring_;
  std::size_t size_ = 0;
  std::array<Wanted, kTransfersMax> wanted_{};
  std::array<Transfer, kTransfersMax> results_{};
};

}  // namespace keyturn::http
