// Workers: threads for what takes long (RSA: making a key takes up to seconds, using one
// milliseconds), so that neither an event loop nor the writer waits for it. What waits here is
// bounded by the server's connections, each of which has one request under way.
//
// Thread-safe.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace keyturn::server {

class Workers {
 public:
  explicit Workers(unsigned threads);
  // Ends after the jobs under way; what still waits is dropped.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  void Run(std::function<void()> job);

 private:
  void Loop();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  bool stop_ = false;
  std::vector<std::thread> threads_;  // last: they use the others
};

}  // namespace keyturn::server
