// Workers: a few threads for calls that compute for longer than an event loop may be held up
// (making an RSA key pair takes from tenths of a second to several).
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
  using Job = std::function<void()>;

  // queue_max: jobs that may wait; more are refused rather than answered after their callers gave
  // up.
  Workers(unsigned threads, std::size_t queue_max);
  // Ends after the jobs that have begun; those that wait are dropped.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // Submit returns false when too many wait.
  bool Submit(Job job);

 private:
  void Run();

  const std::size_t queue_max_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> queue_;
  bool stop_ = false;
  std::vector<std::thread> threads_;  // last: they use the others
};

}  // namespace keyturn::server
