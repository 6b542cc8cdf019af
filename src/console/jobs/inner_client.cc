#include "console/jobs/inner_client.h"

#include <charconv>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace keyturn::console {
namespace {

using SteadyClock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// A batch of the writer: more in flight would only wait there.
constexpr std::size_t kInFlightMax = 64;

struct Answered {
  std::uint64_t call = 0;
  client::CallResult result;
};

// Inbox: where the loops leave answers for the client's thread.
class Inbox {
 public:
  void Put(Answered answered) {
    {
      const std::scoped_lock lock(mutex_);
      answers_.push_back(std::move(answered));
    }
    wake_.notify_one();
  }

  std::vector<Answered> Take(milliseconds max_wait) {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, max_wait, [this] { return !answers_.empty(); });
    return std::exchange(answers_, {});
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Answered> answers_;
};

client::CallError Interrupted() {
  return {std::string(client::kCancelled), "the server is stopping", {}, 0};
}

// InnerExchange: a request of the server to itself. Dropped without a reply, it was interrupted.
class InnerExchange final : public http::Exchange {
 public:
  InnerExchange(http::Loop& loop, std::string_view operation, std::string body, Origin origin,
                std::shared_ptr<Inbox> inbox, std::uint64_t call)
      : loop_(loop),
        path_("/console/api/call/" + std::string(operation)),
        body_(std::move(body)),
        origin_(std::move(origin)),
        inbox_(std::move(inbox)),
        call_(call) {
    view_.method = "POST";
    view_.target = view_.path = path_;
    view_.headers = {{"host", origin_.host}, {"user-agent", origin_.user_agent}};
    view_.body = body_;
    view_.remote_address = origin_.address;
    if (origin_.secure()) view_.tls = http::TlsDetails{origin_.tls_version, origin_.tls_cipher};
  }
  ~InnerExchange() override {
    if (!replied_) inbox_->Put({call_, tl::unexpected(Interrupted())});
  }
  InnerExchange(const InnerExchange&) = delete;
  InnerExchange& operator=(const InnerExchange&) = delete;

  const http::RequestView& request() const override { return view_; }
  http::Loop& loop() override { return loop_; }

  void Reply(std::string_view head, std::string_view body) override {
    if (std::exchange(replied_, true)) return;
    // "HTTP/1.1 200 OK", as server/pipeline.cc writes it.
    const bool good = head.substr(9, 3) == "200";
    if (good) {
      inbox_->Put({call_, client::Answer{std::string(body), request_id}});
      return;
    }
    http::ClientResponse response;
    const std::string_view status = head.substr(9, 3);
    std::from_chars(status.data(), status.data() + status.size(), response.status);
    response.headers.emplace_back("x-amzn-requestid", request_id);
    response.body = body;
    inbox_->Put({call_, tl::unexpected(client::ParseCallError(response))});
  }

  std::string request_id;

 private:
  http::Loop& loop_;
  const std::string path_;
  const std::string body_;
  const Origin origin_;
  const std::shared_ptr<Inbox> inbox_;
  const std::uint64_t call_;
  http::RequestView view_;
  bool replied_ = false;
};

class Client final : public client::KmsClient {
 public:
  Client(server::Pipeline& pipeline, http::Loop& loop, std::string note, InnerClient::Admit admit,
         InnerClient::Refused refused)
      : pipeline_(pipeline),
        loop_(loop),
        note_(std::move(note)),
        admit_(std::move(admit)),
        refused_(std::move(refused)) {}

  void Call(std::string_view operation, std::string_view region, std::string body, Done done,
            milliseconds delay) override {
    waiting_.push_back({++last_call_, std::string(operation), std::string(region), std::move(body),
                        std::move(done), SteadyClock::now() + delay});
  }

  std::size_t Pump(milliseconds max_wait) override {
    milliseconds wait = max_wait;
    if (const auto next = SendDue()) {
      const auto left = std::chrono::ceil<milliseconds>(*next - SteadyClock::now());
      wait = std::clamp(left, milliseconds(0), max_wait);
    }
    for (Answered& each : inbox_->Take(wait)) Finish(std::move(each));
    return unfinished();
  }

  std::optional<client::SteadyTime> SendDue() override {
    // Delays are all alike, so the first to wait is nearly always the first that is due.
    for (std::size_t looked = waiting_.size(); looked > 0 && under_way_.size() < kInFlightMax;
         --looked) {
      if (!cancelled_ && waiting_.front().due > SteadyClock::now()) {
        waiting_.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
        continue;
      }
      if (cancelled_) {
        FailNext(Interrupted());
      } else if (refusal_) {
        FailNext(*refusal_);
      } else {
        SendNext();
      }
    }
    if (waiting_.empty() || under_way_.size() >= kInFlightMax) return std::nullopt;
    return waiting_.front().due;
  }
  std::size_t unfinished() const override { return waiting_.size() + under_way_.size(); }
  double quota_used() const override { return 0; }

  void CancelAll() override {
    cancelled_ = true;
    // What is under way may yet be carried out; nobody waits for it any more.
    for (auto& [call, done] : std::exchange(under_way_, {})) done(tl::unexpected(Interrupted()));
    while (!waiting_.empty()) FailNext(Interrupted());
  }

  const std::map<std::string, client::OperationCount, std::less<>>& counts() const override {
    return counts_;
  }
  bool is_aws() const override { return false; }
  void Observe(client::Observer) override {}  // there are no attempts over a wire

 private:
  struct Waiting {
    std::uint64_t call = 0;
    std::string operation;
    std::string region;
    std::string body;
    Done done;
    client::SteadyTime due;
  };

  void FailNext(const client::CallError& error) {
    const Done done = std::move(waiting_.front().done);
    waiting_.pop_front();
    done(tl::unexpected(error));
  }

  void SendNext() {
    auto admitted = admit_();
    if (!admitted) {
      // A status in the 400s: the call was not made, and that is certain.
      refusal_ = client::CallError{std::string(kNotSignedIn), admitted.error().message, {}, 401};
      refused_(admitted.error());
      FailNext(*refusal_);
      return;
    }
    Waiting call = std::move(waiting_.front());
    waiting_.pop_front();
    under_way_.emplace(call.call, std::move(call.done));
    ++counts_[call.operation].calls;
    auto exchange = std::make_shared<InnerExchange>(loop_, call.operation, std::move(call.body),
                                                    std::move(admitted->origin), inbox_, call.call);
    loop_.Post([exchange, operation = std::move(call.operation), region = std::move(call.region),
                note = note_, caller = std::move(admitted->caller), &pipeline = pipeline_] {
      Serve(pipeline, exchange, operation, region, note, caller);
    });
  }

  // Serve runs on the loop: what Console::ServeCall does for a click.
  static void Serve(server::Pipeline& pipeline, const std::shared_ptr<InnerExchange>& exchange,
                    const std::string& operation, const std::string& region,
                    const std::string& note, const service::Caller& caller) {
    const server::RequestPtr request = pipeline.Begin(exchange);
    exchange->request_id.assign(request->request_id.data(), request->request_id.size());
    const http::RequestView& view = exchange->request();
    request->caller = caller;
    request->caller.peer = {view.remote_address, view.Header("user-agent"), view.tls.has_value()};
    request->audit.event_name = operation;
    request->audit.from_console = true;
    request->audit.additional_event_data = note;
    request->operation = api::FindOperation(operation);
    const auto where = model::Region::Find(region);
    if (!where || !request->operation) {
      pipeline.Refuse(request, {ErrorCode::kValidationException, {}, {}});
      return;
    }
    request->region = *where;
    server::Dispatch(pipeline, request, *request->operation);
  }

  void Finish(Answered answered) {
    const auto found = under_way_.find(answered.call);
    if (found == under_way_.end()) return;  // cancelled meanwhile
    const Done done = std::move(found->second);
    under_way_.erase(found);
    done(std::move(answered.result));
  }

  server::Pipeline& pipeline_;
  http::Loop& loop_;
  const std::string note_;
  const InnerClient::Admit admit_;
  const InnerClient::Refused refused_;
  const std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
  std::deque<Waiting> waiting_;
  std::unordered_map<std::uint64_t, Done> under_way_;
  std::map<std::string, client::OperationCount, std::less<>> counts_;
  std::optional<client::CallError> refusal_;
  std::uint64_t last_call_ = 0;
  bool cancelled_ = false;
};

}  // namespace

std::unique_ptr<client::KmsClient> InnerClient::Create(server::Pipeline& pipeline, http::Loop& loop,
                                                       std::string note, Admit admit,
                                                       Refused refused) {
  return std::make_unique<Client>(pipeline, loop, std::move(note), std::move(admit),
                                  std::move(refused));
}

}  // namespace keyturn::console
