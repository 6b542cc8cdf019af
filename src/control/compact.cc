#include "control/compact.h"

#include <mutex>
#include <unordered_set>

namespace keyturn::control {
namespace {

struct Hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept {
    return std::hash<std::string_view>()(text);
  }
};

}  // namespace

const std::string& Atom::Empty() {
  static const std::string empty;
  return empty;
}

const std::string* Atom::Intern(std::string_view text) {
  if (text.empty()) return &Empty();
  // Kept until the program ends, also while other statics are destroyed.
  static auto* const mutex = new std::mutex;
  static auto* const texts = new std::unordered_set<std::string, Hash, std::equal_to<>>;
  const std::lock_guard lock(*mutex);
  const auto found = texts->find(text);
  return found != texts->end() ? &*found : &*texts->emplace(text).first;
}

}  // namespace keyturn::control
