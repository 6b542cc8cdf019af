#include "service/last_usage.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace keyturn::service {
namespace {

// How often a request looks for a slot that another thread holds before it gives way.
constexpr int kTriesMax = 64;

bool TryLock(std::atomic<bool>& busy) { return !busy.exchange(true, std::memory_order_acquire); }

// Lock waits: the holder copies a few words and is gone.
void Lock(std::atomic<bool>& busy) {
  for (int tries = 0; !TryLock(busy); ++tries) {
    if (tries >= kTriesMax) std::this_thread::yield();
  }
}

void Unlock(std::atomic<bool>& busy) { busy.store(false, std::memory_order_release); }

}  // namespace

UsageSlot::State& UsageSlot::Made() {
  State* state = state_.load(std::memory_order_acquire);
  if (state != nullptr) return *state;
  auto made = std::make_unique<State>();
  if (state_.compare_exchange_strong(state, made.get(), std::memory_order_acq_rel)) {
    return *made.release();
  }
  return *state;
}

bool UsageSlot::Note(const LastUsage& usage) {
  State& state = Made();
  int tries = 0;
  while (!TryLock(state.busy)) {
    if (++tries == kTriesMax) return false;  // whoever holds it notes a use of the same instant
  }
  // Requests may end in another order than they came.
  if (state.last.date <= usage.date) state.last = usage;
  const bool first = !state.unsaved;
  state.unsaved = true;
  Unlock(state.busy);
  return first;
}

void UsageSlot::Restore(const LastUsage& usage) {
  State& state = Made();
  Lock(state.busy);
  state.last = usage;
  Unlock(state.busy);
}

std::optional<LastUsage> UsageSlot::Read() const {
  State* const state = state_.load(std::memory_order_acquire);
  if (state == nullptr) return std::nullopt;
  Lock(state->busy);
  const LastUsage last = state->last;
  Unlock(state->busy);
  if (last.operation.empty()) return std::nullopt;
  return last;
}

std::optional<LastUsage> UsageSlot::TakeUnsaved() {
  State* const state = state_.load(std::memory_order_acquire);
  if (state == nullptr) return std::nullopt;
  Lock(state->busy);
  const bool unsaved = std::exchange(state->unsaved, false);
  const LastUsage last = state->last;
  Unlock(state->busy);
  if (!unsaved) return std::nullopt;
  return last;
}

void UsageSlot::CopyFrom(const UsageSlot& other) {
  State* const from = other.state_.load(std::memory_order_acquire);
  if (from == nullptr) return;
  State& state = Made();
  Lock(from->busy);
  state.last = from->last;
  state.unsaved = from->unsaved;
  Unlock(from->busy);
}

void UsageLog::Add(Name name) {
  const std::scoped_lock lock(mutex_);
  names_.push_back(name);
}

std::vector<UsageLog::Name> UsageLog::Take(std::size_t limit) {
  const std::scoped_lock lock(mutex_);
  const std::size_t count = std::min(limit, names_.size());
  const auto from = names_.end() - static_cast<std::ptrdiff_t>(count);
  std::vector<Name> taken(from, names_.end());
  names_.erase(from, names_.end());
  return taken;
}

}  // namespace keyturn::service
