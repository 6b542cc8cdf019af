// ComplianceLog: one line a day and account of how many keys passed, as last seen by somebody who
// may see all of them. In <data directory>/console-history/<account>.
//
// Thread-safety: thread-safe. Errors: kNoSpace, kReadOnly, kIo; the file is whole, before or after.
// docs/formats/store.md has the file.
#pragma once

#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "control/run.h"

namespace keyturn::console {

struct ComplianceDay {
  std::string date;  // "2026-11-25", UTC
  std::uint64_t pass = 0;
  std::uint64_t fail = 0;  // FAIL and FAIL_PERIOD
  std::uint64_t unknown = 0;
  std::optional<double> percent;
  bool operator==(const ComplianceDay&) const = default;
};

ComplianceDay DayOf(const control::Totals& totals, TimePoint now);
// ParseComplianceDays: lines that make no sense are left out.
std::vector<ComplianceDay> ParseComplianceDays(std::string_view text);
std::string ComplianceText(const std::vector<ComplianceDay>& days);

class ComplianceLog {
 public:
  static constexpr std::size_t kDaysMax = 400;

  explicit ComplianceLog(std::filesystem::path directory) : directory_(std::move(directory)) {}
  // Note keeps the day, instead of what that day had before.
  Status Note(const std::string& account, const ComplianceDay& day);
  // Read: oldest first; nothing when there is none.
  std::vector<ComplianceDay> Read(const std::string& account) const;

 private:
  std::vector<ComplianceDay> ReadLocked(const std::string& account) const;

  const std::filesystem::path directory_;
  mutable std::mutex mutex_;
};

}  // namespace keyturn::console
