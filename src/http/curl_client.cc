// The client on libcurl's multi interface, driven by sockets: libcurl says which descriptors and
// which deadline it waits for, epoll waits for all of them at once. The cost of a turn is then that
// of the transfers with something to do, not of all.
#include "http/curl_client.h"

#include <curl/curl.h>
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
#include "http/client_request.h"
#include "http/tls_cause.h"

namespace keyturn::http {
namespace {

using SteadyClock = std::chrono::steady_clock;
using Millis = std::chrono::milliseconds;

constexpr int kEventsPerWait = 64;

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

// What the callers of one origin share: how many are under way, and who waits.
struct Transfer;
struct Origin {
  std::size_t active = 0;
  std::deque<std::unique_ptr<Transfer>> waiting;
};

struct Transfer {
  ClientRequest request;
  Client::Done done;
  Origin* origin = nullptr;
  CURL* easy = nullptr;
  curl_slist* header_list = nullptr;
  ClientResponse response;
  std::size_t response_bytes_max = 0;
  std::size_t header_bytes = 0;
  bool too_large = false;
  std::array<char, CURL_ERROR_SIZE> error_text{};
};

struct Outcome {
  Client::Done done;
  Result<ClientResponse> result;
};

// --- libcurl's callbacks for one transfer
// ---------------------------------------------------------

bool Fits(Transfer& transfer, std::size_t more) {
  const std::size_t have = transfer.response.body.size() + transfer.header_bytes;
  transfer.too_large =
      more > transfer.response_bytes_max - std::min(have, transfer.response_bytes_max);
  return !transfer.too_large;
}

std::size_t OnBody(char* data, std::size_t one, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  if (!Fits(transfer, one * count)) {
    return 0;
  }
  transfer.response.body.append(data, one * count);
  return one * count;
}

std::string_view TrimBlank(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  return begin == std::string_view::npos
             ? std::string_view{}
             : text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

std::size_t OnHeader(char* data, std::size_t one, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::string_view line(data, one * count);
  if (line.starts_with("HTTP/")) {  // a status line: what came before was an interim answer
    transfer.response.headers.clear();
    transfer.header_bytes = 0;
  } else if (!Fits(transfer, line.size())) {
    return 0;
  }
  transfer.header_bytes += line.size();
  const auto colon = line.find(':');
  if (colon != std::string_view::npos && !line.starts_with("HTTP/")) {
    std::string name(line.substr(0, colon));
    std::transform(name.begin(), name.end(), name.begin(), Lower);
    transfer.response.headers.emplace_back(std::move(name), TrimBlank(line.substr(colon + 1)));
  }
  return line.size();
}

curl_slist* BuildHeaders(const ClientRequest& request) {
  curl_slist* list = nullptr;
  std::string line;
  const auto append = [&list](const char* text) {
    curl_slist* longer = curl_slist_append(list, text);
    KT_CHECK(longer != nullptr);
    list = longer;
  };
  bool has_accept = false;
  bool has_content_type = false;
  bool has_expect = false;
  for (const auto& [name, value] : request.headers) {
    has_accept = has_accept || NameEquals(name, "accept");
    has_content_type = has_content_type || NameEquals(name, "content-type");
    has_expect = has_expect || NameEquals(name, "expect");
    line.assign(name);
    if (TrimBlank(value).empty()) {
      line += ';';  // libcurl's way of sending a header without a value
    } else {
      line.append(": ").append(value);
    }
    append(line.c_str());
  }
  // A name without a value takes out what libcurl would add by itself.
  if (!has_accept) {
    append("Accept:");
  }
  if (!has_content_type) {
    append("Content-Type:");
  }
  if (!has_expect) {
    append("Expect:");
  }
  return list;
}

bool IsTlsFailure(CURLcode code) {
  constexpr CURLcode kCodes[] = {CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION,
                                 CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_CACERT_BADFILE};
  return std::find(std::begin(kCodes), std::end(kCodes), code) != std::end(kCodes);
}

Error ErrorOf(CURLcode code, const Transfer& transfer) {
  const std::string text = transfer.error_text[0] != '\0' ? std::string(transfer.error_text.data())
                                                          : std::string(curl_easy_strerror(code));
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return {ErrorCode::kTimeout,
            "no answer within " + std::to_string(transfer.request.timeout.count()) + " ms", text};
  }
  if (transfer.too_large) {
    return {ErrorCode::kNetwork,
            "the answer is larger than " + std::to_string(transfer.response_bytes_max) + " bytes",
            text};
  }
  return {ErrorCode::kNetwork, text, IsTlsFailure(code) ? std::string(kTlsCause) : std::string()};
}

// --- The client ---------------------------------------------------------------------------------

class CurlClient final : public Client {
 public:
  CurlClient(const ClientOptions& options, CURLM* multi, int epoll);
  ~CurlClient() override;
  CurlClient(const CurlClient&) = delete;
  CurlClient& operator=(const CurlClient&) = delete;

  void Submit(ClientRequest request, Done done) override;
  std::size_t Pump(std::chrono::milliseconds max_wait) override;
  void CancelAll() override;

 private:
  static int OnSocket(CURL* easy, curl_socket_t fd, int what, void* user, void* known);
  static int OnTimer(CURLM* multi, long timeout_ms, void* user);

  CURL* NewEasy();
  void Begin(std::unique_ptr<Transfer> transfer);
  void SetOptions(Transfer& transfer);
  std::unique_ptr<Transfer> Retire(CURL* easy);
  void Release(Transfer& transfer);
  void Collect();
  void RunOutcomes();
  int WaitMillis(Millis max_wait) const;
  void TurnTimer();

  const ClientOptions options_;
  CURLM* const multi_;
  const int epoll_;
  bool has_deadline_ = false;
  SteadyClock::time_point deadline_;
  std::vector<CURL*> idle_;
  std::unordered_map<CURL*, std::unique_ptr<Transfer>> active_;
  std::map<std::string, Origin, std::less<>> origins_;
  std::size_t waiting_ = 0;
  std::vector<Outcome> outcomes_;
};

CurlClient::CurlClient(const ClientOptions& options, CURLM* multi, int epoll)
    : options_(options), multi_(multi), epoll_(epoll) {
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, OnSocket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, OnTimer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(options.connections_max));
}

CurlClient::~CurlClient() {
  for (auto& [easy, transfer] : active_) {
    curl_multi_remove_handle(multi_, easy);
    curl_easy_cleanup(easy);
    curl_slist_free_all(transfer->header_list);
  }
  for (CURL* easy : idle_) {
    curl_easy_cleanup(easy);
  }
  curl_multi_cleanup(multi_);
  close(epoll_);
}

int CurlClient::OnSocket(CURL*, curl_socket_t fd, int what, void* user, void* known) {
  auto& self = *static_cast<CurlClient*>(user);
  if (what == CURL_POLL_REMOVE) {
    epoll_ctl(self.epoll_, EPOLL_CTL_DEL, fd, nullptr);
    curl_multi_assign(self.multi_, fd, nullptr);
    return 0;
  }
  epoll_event event{};
  event.data.fd = fd;
  event.events =
      ((what & CURL_POLL_IN) != 0 ? EPOLLIN : 0U) | ((what & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0U);
  epoll_ctl(self.epoll_, known != nullptr ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
  curl_multi_assign(self.multi_, fd, &self);
  return 0;
}

int CurlClient::OnTimer(CURLM*, long timeout_ms, void* user) {
  auto& self = *static_cast<CurlClient*>(user);
  self.has_deadline_ = timeout_ms >= 0;
  if (self.has_deadline_) {
    self.deadline_ = SteadyClock::now() + Millis(timeout_ms);
  }
  return 0;
}

// NewEasy makes a handle with the options that are the same for all requests.
CURL* CurlClient::NewEasy() {
  CURL* easy = curl_easy_init();
  KT_CHECK(easy != nullptr);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!options_.ca_bundle_file.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, options_.ca_bundle_file.c_str());
  }
  // One source of trust: the bundle given, or else the system's. A directory beside it would let in
  // others than the bundle's, and keeps libcurl from holding on to the parsed bundle.
  const char* bundle = options_.ca_bundle_file.empty() ? nullptr : options_.ca_bundle_file.c_str();
  if (bundle != nullptr ||
      (curl_easy_getinfo(easy, CURLINFO_CAINFO, &bundle) == CURLE_OK && bundle != nullptr)) {
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  }
  if (options_.direct) curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, OnHeader);
  return easy;
}

void CurlClient::Submit(ClientRequest request, Done done) {
  if (auto status = CheckRequest(request); !status) {
    outcomes_.push_back({std::move(done), Fail(std::move(status).error())});
    return;
  }
  auto transfer = std::make_unique<Transfer>();
  transfer->request = std::move(request);
  transfer->done = std::move(done);
  transfer->response_bytes_max = options_.response_bytes_max;
  const std::string_view name = OriginOf(transfer->request.url);
  auto origin = origins_.find(name);
  if (origin == origins_.end()) {
    origin = origins_.emplace(std::string(name), Origin{}).first;
  }
  transfer->origin = &origin->second;
  if (transfer->origin->active >= options_.connections_per_host_max) {
    transfer->origin->waiting.push_back(std::move(transfer));
    ++waiting_;
  } else {
    Begin(std::move(transfer));
  }
}

void CurlClient::Begin(std::unique_ptr<Transfer> transfer) {
  if (idle_.empty()) {
    transfer->easy = NewEasy();
  } else {
    transfer->easy = idle_.back();
    idle_.pop_back();
  }
  SetOptions(*transfer);
  ++transfer->origin->active;
  CURL* const easy = transfer->easy;
  active_.emplace(easy, std::move(transfer));
  KT_CHECK(curl_multi_add_handle(multi_, easy) == CURLM_OK);
}

void CurlClient::SetOptions(Transfer& transfer) {
  CURL* const easy = transfer.easy;
  const ClientRequest& request = transfer.request;
  transfer.header_list = BuildHeaders(request);
  if (!request.ca_bundle_file.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, request.ca_bundle_file.c_str());
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  }
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer.header_list);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
                   static_cast<long>(std::max<Millis::rep>(1, request.timeout.count())));
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer.error_text.data());
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
  const bool has_body = !request.body.empty();
  if (request.method == "HEAD" && !has_body) {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, nullptr);
  } else if (request.method == "GET" && !has_body) {
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, nullptr);
  } else {  // any method that may have a body: Content-Length is sent, also of nothing
    curl_easy_setopt(easy, CURLOPT_NOBODY, 0L);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.c_str());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST,
                     request.method == "POST" ? nullptr : request.method.c_str());
  }
}

// Release gives the handle back and lets the next request of the same origin begin.
void CurlClient::Release(Transfer& transfer) {
  curl_easy_setopt(transfer.easy, CURLOPT_HTTPHEADER, nullptr);
  curl_easy_setopt(transfer.easy, CURLOPT_POSTFIELDS, nullptr);
  curl_easy_setopt(transfer.easy, CURLOPT_ERRORBUFFER, nullptr);
  curl_slist_free_all(transfer.header_list);
  transfer.header_list = nullptr;
  if (transfer.request.ca_bundle_file.empty()) {
    idle_.push_back(transfer.easy);
  } else {
    // The next request on this handle must not trust what this one trusted.
    curl_easy_cleanup(transfer.easy);
  }
  transfer.easy = nullptr;
  --transfer.origin->active;
}

std::unique_ptr<Transfer> CurlClient::Retire(CURL* easy) {
  const auto found = active_.find(easy);
  KT_CHECK(found != active_.end());
  auto transfer = std::move(found->second);
  active_.erase(found);
  curl_multi_remove_handle(multi_, easy);
  return transfer;
}

void CurlClient::Collect() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) {
      continue;
    }
    const CURLcode code = message->data.result;  // message is void once the handle is removed
    auto transfer = Retire(message->easy_handle);
    if (code == CURLE_OK) {
      long status = 0;
      curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
      transfer->response.status = static_cast<int>(status);
      outcomes_.push_back({std::move(transfer->done), std::move(transfer->response)});
    } else {
      outcomes_.push_back({std::move(transfer->done), Fail(ErrorOf(code, *transfer))});
    }
    Release(*transfer);
    Origin& origin = *transfer->origin;
    if (!origin.waiting.empty() && origin.active < options_.connections_per_host_max) {
      auto next = std::move(origin.waiting.front());
      origin.waiting.pop_front();
      --waiting_;
      Begin(std::move(next));
    }
  }
}

// RunOutcomes calls back outside of libcurl, so that a callback may submit and cancel.
void CurlClient::RunOutcomes() {
  while (!outcomes_.empty()) {
    std::vector<Outcome> ready;
    ready.swap(outcomes_);
    for (Outcome& outcome : ready) {
      outcome.done(std::move(outcome.result));
    }
  }
}

int CurlClient::WaitMillis(Millis max_wait) const {
  auto wait = std::max(max_wait, Millis(0));
  if (has_deadline_) {
    const auto until = std::chrono::ceil<Millis>(deadline_ - SteadyClock::now());
    wait = std::clamp(until, Millis(0), wait);
  }
  return static_cast<int>(std::min<Millis::rep>(wait.count(), 60000));
}

void CurlClient::TurnTimer() {
  if (has_deadline_ && SteadyClock::now() >= deadline_) {
    has_deadline_ = false;
    int running = 0;
    curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
  }
}

std::size_t CurlClient::Pump(std::chrono::milliseconds max_wait) {
  TurnTimer();  // what Submit added is started by a timeout of zero
  Collect();
  if (outcomes_.empty() && !active_.empty()) {
    std::array<epoll_event, kEventsPerWait> events{};
    const int count = epoll_wait(epoll_, events.data(), kEventsPerWait, WaitMillis(max_wait));
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      const unsigned ready = event.events;
      const int what = ((ready & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) |
                       ((ready & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
                       ((ready & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0);
      int running = 0;
      curl_multi_socket_action(multi_, event.data.fd, what, &running);
    }
    TurnTimer();
    Collect();
  }
  RunOutcomes();
  return active_.size() + waiting_ + outcomes_.size();
}

void CurlClient::CancelAll() {
  const auto cancelled = [this](Transfer& transfer) {
    outcomes_.push_back(
        {std::move(transfer.done), Fail(ErrorCode::kCancelled, "the request was cancelled")});
  };
  for (auto& [name, origin] : origins_) {
    for (const auto& transfer : origin.waiting) {
      cancelled(*transfer);
    }
    waiting_ -= origin.waiting.size();
    origin.waiting.clear();
  }
  while (!active_.empty()) {
    const auto transfer = Retire(active_.begin()->first);
    Release(*transfer);
    cancelled(*transfer);
  }
  RunOutcomes();
}

bool InitializeCurl() {
  static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return ready;
}

}  // namespace

std::string SystemCaBundle() {
  const curl_version_info_data* version = curl_version_info(CURLVERSION_NOW);
  return version->age >= CURLVERSION_SEVENTH && version->cainfo != nullptr ? version->cainfo : "";
}

Result<std::unique_ptr<Client>> CreateCurlClient(const ClientOptions& options) {
  if (!InitializeCurl()) {
    return Fail(ErrorCode::kInternal, "libcurl cannot be initialised");
  }
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) {
    return Fail(ErrorCode::kIo, std::string("cannot make an HTTP client: ") + std::strerror(errno));
  }
  CURLM* multi = curl_multi_init();
  if (multi == nullptr) {
    close(epoll);
    return Fail(ErrorCode::kInternal, "libcurl has no memory");
  }
  return std::make_unique<CurlClient>(options, multi, epoll);
}

}  // namespace keyturn::http
