// TrailCommitter: appends audit records from a thread of its own, for a trail that is synced before
// each answer: an event loop goes on with other requests while the disk works. What comes while one
// append is under way goes into the next, all loops' together.
//
// Thread-safe. The trail must outlive the committer.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "trail/trail.h"

namespace keyturn::server {

class TrailCommitter {
 public:
  explicit TrailCommitter(trail::Trail& trail);
  // Ends after everything that was given has been appended and its done has run.
  ~TrailCommitter();
  TrailCommitter(const TrailCommitter&) = delete;
  TrailCommitter& operator=(const TrailCommitter&) = delete;

  // Append takes whole lines out of lines and leaves it empty, with memory for the next ones: no
  // memory goes from thread to thread for good. done runs on the committer's thread when the lines
  // are durable, or with the reason why they are not; it must not wait for anything.
  using Done = std::function<void(const Status& written)>;
  void Append(std::string& lines, Done done);

 private:
  void Run();

  trail::Trail& trail_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::string lines_;
  std::vector<Done> waiting_;
  bool stop_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace keyturn::server
