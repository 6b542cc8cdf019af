#include "server/trail_committer.h"

#include <utility>

namespace keyturn::server {

TrailCommitter::TrailCommitter(trail::Trail& trail) : trail_(trail), thread_([this] { Run(); }) {}

TrailCommitter::~TrailCommitter() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void TrailCommitter::Append(std::string& lines, Done done) {
  {
    const std::lock_guard lock(mutex_);
    if (lines_.empty()) {
      lines_.swap(lines);
    } else {
      lines_ += lines;
    }
    waiting_.push_back(std::move(done));
  }
  lines.clear();
  wake_.notify_one();
}

void TrailCommitter::Run() {
  std::string lines;
  std::vector<Done> waiting;
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stop_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    lines.swap(lines_);
    waiting.swap(waiting_);
    lock.unlock();
    const Status written = trail::AppendAll(trail_, lines);
    for (Done& done : waiting) done(written);
    lines.clear();
    waiting.clear();
    lock.lock();
  }
}

}  // namespace keyturn::server
