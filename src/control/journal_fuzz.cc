// Journal: no crash on any input; what is read is told again, and its entries can be written and
// read back.
#include "base/bytes.h"
#include "base/check.h"
#include "control/apply.h"
#include "control/journal.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keyturn::control;  // NOLINT(google-build-using-namespace)
  const std::string_view text = keyturn::AsText({data, size});
  const auto journal = ParseJournal(text, "file");
  if (!journal) return 0;
  KT_CHECK(journal->valid_bytes <= journal->file_bytes);
  KT_CHECK(journal->changes.size() == journal->header.changes);
  RecordsOf(*journal);
  PreviewBackout(*journal);
  Plan plan;
  plan.sha256 = "x";
  plan.changes = journal->changes;
  std::string again = JournalText(plan, journal->header.created, "fuzz");
  for (const JournalEntry& entry : journal->entries) AppendEntryText(entry, again);
  const auto second = ParseJournal(again, "again");
  KT_CHECK(second && second->entries.size() == journal->entries.size());
  return 0;
}
