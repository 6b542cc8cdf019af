#include "http/pooled_client.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <map>
#include <unordered_map>

#include "base/check.h"
#include "http/client_connection.h"
#include "http/client_request.h"
#include "http/resolver.h"

namespace keyturn::http {
namespace {

using SteadyClock = std::chrono::steady_clock;
using SteadyTime = SteadyClock::time_point;
using Millis = std::chrono::milliseconds;
using Progress = ClientConnection::Progress;

constexpr int kEventsPerWait = 64;
constexpr std::size_t kScratchBytes = 64 << 10;
// A connection that was idle for so long is not trusted to be open any more.
constexpr std::chrono::seconds kIdleMax{90};
constexpr std::chrono::seconds kAddressesLast{60};
// The next address is tried when one has not answered for so long.
constexpr std::chrono::seconds kAddressPatience{3};

struct PooledTransfer {
  ClientRequest request;
  Client::Done done;
  SteadyTime deadline;
  bool retried = false;
};
using TransferPtr = std::unique_ptr<PooledTransfer>;

struct Link;

// PooledOrigin: what the requests to one scheme, host and port with one trust share.
struct PooledOrigin {
  Authority authority;
  const Proxy* proxy = nullptr;
  std::string ca_bundle_file;
  const ClientTlsContext* tls = nullptr;
  TlsTicket ticket;
  std::vector<SocketAddress> addresses;
  SteadyTime addresses_until{};
  bool asking = false;
  std::size_t active = 0;
  std::deque<TransferPtr> waiting;
  std::vector<Link*> idle;       // the last one used last, so that few stay warm
  std::vector<Link*> resolving;  // wait for addresses
};

// Link: a connection, and who uses it.
struct Link {
  Link(PooledOrigin& of, const Route& route, int epoll, std::span<char> scratch)
      : origin(&of), connection(route, epoll, this, scratch) {}
  PooledOrigin* origin;
  TransferPtr transfer;  // null: idle
  std::multimap<SteadyTime, Link*>::iterator timer;
  bool has_timer = false;
  SteadyTime idle_since{};
  ClientConnection connection;
};

struct PooledOutcome {
  Client::Done done;
  Result<ClientResponse> result;
};

class PooledClient final : public Client {
 public:
  PooledClient(const ClientOptions& options, ProxyRules proxies, int epoll,
               std::unique_ptr<Resolver> resolver)
      : options_(options),
        proxies_(std::move(proxies)),
        epoll_(epoll),
        resolver_(std::move(resolver)),
        scratch_(kScratchBytes) {}
  ~PooledClient() override;
  PooledClient(const PooledClient&) = delete;
  PooledClient& operator=(const PooledClient&) = delete;

  void Submit(ClientRequest request, Done done) override;
  std::size_t Pump(Millis max_wait) override;
  void CancelAll() override;

 private:
  PooledOrigin* OriginFor(const ClientRequest& request);
  void Begin(PooledOrigin& origin, TransferPtr transfer);
  bool BeginOnIdle(PooledOrigin& origin, TransferPtr& transfer);
  void BeginFresh(PooledOrigin& origin, TransferPtr transfer);
  Status PrepareTls(PooledOrigin& origin);
  void Resolve(Link& link);
  void TakeAddresses();
  void After(Link& link, Progress progress);
  void Finish(PooledOrigin& origin, PooledTransfer& transfer, Result<ClientResponse> result);
  void BeginWaiting();
  void SetTimer(Link& link);
  void ClearTimer(Link& link);
  void Expire();
  void Drop(Link& link);
  void MakeRoom();
  void Wait(Millis max_wait);
  void OnEvent(Link& link);
  void RunOutcomes();

  const ClientOptions options_;
  const ProxyRules proxies_;
  const int epoll_;
  const std::unique_ptr<Resolver> resolver_;
  std::vector<char> scratch_;
  std::map<std::string, std::unique_ptr<ClientTlsContext>> contexts_;  // by bundle
  std::map<std::string, PooledOrigin, std::less<>> origins_;           // by name and bundle
  std::unordered_map<Link*, std::unique_ptr<Link>> links_;
  std::vector<std::unique_ptr<Link>> dropped_;  // until no event can speak of them
  std::multimap<SteadyTime, Link*> timers_;
  std::vector<PooledOrigin*> roomy_;  // may begin one that waits
  std::vector<PooledOutcome> outcomes_;
  std::string name_;  // of an origin, to look it up
  std::size_t unfinished_ = 0;
};

PooledClient::~PooledClient() {
  links_.clear();
  dropped_.clear();
  close(epoll_);
}

// --- Beginning a request ------------------------------------------------------------------------

PooledOrigin* PooledClient::OriginFor(const ClientRequest& request) {
  name_.assign(OriginOf(request.url)).append("\n").append(request.ca_bundle_file);
  const auto found = origins_.find(name_);
  if (found != origins_.end()) return &found->second;
  const auto authority = ParseOrigin(OriginOf(request.url));
  if (!authority) return nullptr;
  PooledOrigin& origin = origins_[name_];
  origin.authority = *authority;
  origin.proxy = proxies_.For(authority->tls, authority->host);
  origin.ca_bundle_file =
      request.ca_bundle_file.empty() ? options_.ca_bundle_file : request.ca_bundle_file;
  return &origin;
}

void PooledClient::Submit(ClientRequest request, Done done) {
  ++unfinished_;
  Status checked = CheckRequest(request);
  PooledOrigin* origin = checked ? OriginFor(request) : nullptr;
  if (origin == nullptr) {
    if (checked) checked = Fail(ErrorCode::kUsage, "not an http or https URL: " + request.url);
    outcomes_.push_back({std::move(done), Fail(std::move(checked).error())});
    return;
  }
  auto transfer = std::make_unique<PooledTransfer>();
  transfer->request = std::move(request);
  transfer->done = std::move(done);
  if (origin->active >= options_.connections_per_host_max) {
    origin->waiting.push_back(std::move(transfer));
  } else {
    Begin(*origin, std::move(transfer));
  }
}

void PooledClient::Begin(PooledOrigin& origin, TransferPtr transfer) {
  ++origin.active;
  transfer->deadline = SteadyClock::now() + std::max(transfer->request.timeout, Millis(1));
  if (!BeginOnIdle(origin, transfer)) BeginFresh(origin, std::move(transfer));
}

bool PooledClient::BeginOnIdle(PooledOrigin& origin, TransferPtr& transfer) {
  while (!origin.idle.empty()) {
    Link& link = *origin.idle.back();
    origin.idle.pop_back();
    const bool too_old = SteadyClock::now() - link.idle_since > kIdleMax;
    if (too_old || !link.connection.StillOpen()) {
      Drop(link);
      continue;
    }
    link.transfer = std::move(transfer);
    SetTimer(link);
    After(link, link.connection.Reuse(link.transfer->request, options_.response_bytes_max));
    return true;
  }
  return false;
}

Status PooledClient::PrepareTls(PooledOrigin& origin) {
  if (!origin.authority.tls || origin.tls != nullptr) return {};
  auto& context = contexts_[origin.ca_bundle_file];
  if (!context) {
    KT_ASSIGN(context, ClientTlsContext::Load(origin.ca_bundle_file));
  }
  origin.tls = context.get();
  return {};
}

void PooledClient::BeginFresh(PooledOrigin& origin, TransferPtr transfer) {
  if (const Status ready = PrepareTls(origin); !ready) {
    Finish(origin, *transfer, Fail(ready.error()));
    return;
  }
  MakeRoom();
  const Route route{&origin.authority, origin.proxy, origin.tls, &origin.ticket};
  auto made = std::make_unique<Link>(origin, route, epoll_, std::span<char>(scratch_));
  Link& link = *made;
  links_.emplace(&link, std::move(made));
  link.transfer = std::move(transfer);
  SetTimer(link);
  Resolve(link);
}

void PooledClient::Resolve(Link& link) {
  PooledOrigin& origin = *link.origin;
  const std::string& host = origin.proxy != nullptr ? origin.proxy->host : origin.authority.host;
  const std::uint16_t port = origin.proxy != nullptr ? origin.proxy->port : origin.authority.port;
  const SteadyTime now = SteadyClock::now();
  if (origin.addresses.empty() || now >= origin.addresses_until) {
    const auto literal = Resolver::Literal(host, port);
    if (!literal) {
      origin.resolving.push_back(&link);
      if (!std::exchange(origin.asking, true)) resolver_->Ask(host, port);
      return;
    }
    origin.addresses = {*literal};
    origin.addresses_until = SteadyTime::max();
  }
  After(link, link.connection.Connect(origin.addresses, link.transfer->request,
                                      options_.response_bytes_max));
}

void PooledClient::TakeAddresses() {
  for (Resolver::Answer& answer : resolver_->Take()) {
    for (auto& [name, origin] : origins_) {
      const bool by_proxy = origin.proxy != nullptr;
      const std::string& host = by_proxy ? origin.proxy->host : origin.authority.host;
      const std::uint16_t port = by_proxy ? origin.proxy->port : origin.authority.port;
      if (!origin.asking || host != answer.host || port != answer.port) continue;
      origin.asking = false;
      const std::vector<Link*> links = std::exchange(origin.resolving, {});
      if (answer.addresses) {
        origin.addresses = *answer.addresses;
        origin.addresses_until = SteadyClock::now() + kAddressesLast;
      }
      for (Link* link : links) {
        if (answer.addresses) {
          Resolve(*link);
        } else {
          TransferPtr transfer = std::move(link->transfer);
          Drop(*link);
          Finish(origin, *transfer, Fail(answer.addresses.error()));
        }
      }
    }
  }
}

// --- Ending one ---------------------------------------------------------------------------------

void PooledClient::Finish(PooledOrigin& origin, PooledTransfer& transfer,
                          Result<ClientResponse> result) {
  outcomes_.push_back({std::move(transfer.done), std::move(result)});
  --origin.active;
  if (!origin.waiting.empty()) roomy_.push_back(&origin);
}

// After does what follows from a step of a connection.
void PooledClient::After(Link& link, Progress progress) {
  if (progress == Progress::kBusy) {
    SetTimer(link);
    return;
  }
  ClearTimer(link);
  PooledOrigin& origin = *link.origin;
  TransferPtr transfer = std::move(link.transfer);
  if (progress == Progress::kAnswered) {
    Result<ClientResponse> response = link.connection.TakeResponse();
    if (link.connection.reusable()) {
      link.idle_since = SteadyClock::now();
      origin.idle.push_back(&link);
    } else {
      Drop(link);
    }
    Finish(origin, *transfer, std::move(response));
    return;
  }
  const Error error = link.connection.error();
  const bool again = link.connection.may_retry() && !transfer->retried;
  Drop(link);
  if (again) {
    transfer->retried = true;
    BeginFresh(origin, std::move(transfer));
  } else {
    Finish(origin, *transfer, Fail(error));
  }
}

// BeginWaiting is no recursion: requests that fail at once make room for the next ones.
void PooledClient::BeginWaiting() {
  while (!roomy_.empty()) {
    PooledOrigin& origin = *roomy_.back();
    roomy_.pop_back();
    if (origin.waiting.empty() || origin.active >= options_.connections_per_host_max) continue;
    TransferPtr next = std::move(origin.waiting.front());
    origin.waiting.pop_front();
    Begin(origin, std::move(next));
  }
}

void PooledClient::Drop(Link& link) {
  ClearTimer(link);
  std::erase(link.origin->resolving, &link);
  const auto found = links_.find(&link);
  KT_CHECK(found != links_.end());
  dropped_.push_back(std::move(found->second));
  links_.erase(found);
}

// MakeRoom closes the connection that has been idle longest, when enough are open.
void PooledClient::MakeRoom() {
  if (links_.size() < options_.connections_max) return;
  Link* oldest = nullptr;
  for (const auto& [link, owned] : links_) {
    const bool older = oldest == nullptr || link->idle_since < oldest->idle_since;
    if (!link->transfer && older) oldest = link;
  }
  if (oldest == nullptr) return;
  std::erase(oldest->origin->idle, oldest);
  Drop(*oldest);
}

// --- Time ---------------------------------------------------------------------------------------

// SetTimer: to the request's deadline, or to when the next address is tried.
void PooledClient::SetTimer(Link& link) {
  SteadyTime due = link.transfer->deadline;
  if (link.connection.has_more_addresses()) {
    due = std::min(due, SteadyClock::now() + kAddressPatience);
  }
  if (link.has_timer) {
    if (link.timer->first == due) return;
    timers_.erase(link.timer);
  }
  link.timer = timers_.emplace(due, &link);
  link.has_timer = true;
}

void PooledClient::ClearTimer(Link& link) {
  if (std::exchange(link.has_timer, false)) timers_.erase(link.timer);
}

void PooledClient::Expire() {
  if (timers_.empty()) return;
  const SteadyTime now = SteadyClock::now();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    Link& link = *timers_.begin()->second;
    ClearTimer(link);
    if (now < link.transfer->deadline) {
      After(link, link.connection.NextAddress());
      continue;
    }
    const TransferPtr transfer = std::move(link.transfer);
    PooledOrigin& origin = *link.origin;
    Drop(link);
    Finish(origin, *transfer,
           Fail(ErrorCode::kTimeout,
                "no answer within " + std::to_string(transfer->request.timeout.count()) + " ms"));
  }
}

// --- The loop -----------------------------------------------------------------------------------

void PooledClient::OnEvent(Link& link) {
  if (!links_.contains(&link)) return;  // dropped by an event before this one
  if (link.transfer) {
    After(link, link.connection.OnReady());
  } else if (!link.connection.StillOpen()) {
    std::erase(link.origin->idle, &link);
    Drop(link);
  }
}

void PooledClient::Wait(Millis max_wait) {
  Millis wait = std::clamp(max_wait, Millis(0), Millis(60000));
  if (!timers_.empty()) {
    const auto until = std::chrono::ceil<Millis>(timers_.begin()->first - SteadyClock::now());
    wait = std::clamp(until, Millis(0), wait);
  }
  std::array<epoll_event, kEventsPerWait> events{};
  const int count =
      epoll_wait(epoll_, events.data(), kEventsPerWait, static_cast<int>(wait.count()));
  for (int i = 0; i < count; ++i) {
    void* const owner = events[static_cast<std::size_t>(i)].data.ptr;
    if (owner == nullptr) {
      TakeAddresses();
    } else {
      OnEvent(*static_cast<Link*>(owner));
    }
  }
}

std::size_t PooledClient::Pump(Millis max_wait) {
  BeginWaiting();
  if (outcomes_.empty() && unfinished_ > 0) Wait(max_wait);
  Expire();
  BeginWaiting();
  dropped_.clear();
  RunOutcomes();
  return unfinished_;
}

// RunOutcomes calls back when all is in order, so that a callback may submit and cancel.
void PooledClient::RunOutcomes() {
  std::vector<PooledOutcome> ready;
  ready.swap(outcomes_);
  for (PooledOutcome& outcome : ready) {
    --unfinished_;
    outcome.done(std::move(outcome.result));
  }
}

void PooledClient::CancelAll() {
  const auto cancelled = [this](PooledTransfer& transfer) {
    outcomes_.push_back(
        {std::move(transfer.done), Fail(ErrorCode::kCancelled, "the request was cancelled")});
  };
  for (auto& [name, origin] : origins_) {
    for (const TransferPtr& transfer : origin.waiting) cancelled(*transfer);
    origin.waiting.clear();
    origin.active = 0;
  }
  std::vector<Link*> busy;
  for (const auto& [link, owned] : links_) {
    if (link->transfer) busy.push_back(link);
  }
  for (Link* link : busy) {
    const TransferPtr transfer = std::move(link->transfer);
    Drop(*link);
    cancelled(*transfer);
  }
  roomy_.clear();
  while (!outcomes_.empty()) RunOutcomes();
}

}  // namespace

Result<std::unique_ptr<Client>> CreatePooledClient(const ClientOptions& options,
                                                   ProxyRules proxies) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) {
    return Fail(ErrorCode::kIo, std::string("cannot make an HTTP client: ") + std::strerror(errno));
  }
  auto resolver = Resolver::Create();
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;
  if (!resolver || epoll_ctl(epoll, EPOLL_CTL_ADD, (*resolver)->fd(), &event) != 0) {
    close(epoll);
    if (!resolver) return Fail(std::move(resolver).error());
    return Fail(ErrorCode::kIo, std::string("cannot make an HTTP client: ") + std::strerror(errno));
  }
  return std::make_unique<PooledClient>(options, std::move(proxies), epoll, *std::move(resolver));
}

}  // namespace keyturn::http
