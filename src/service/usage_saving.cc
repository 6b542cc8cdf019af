#include "service/usage_saving.h"

#include <utility>
#include <vector>

namespace keyturn::service {

Status SaveUsage(Tables& tables, Writer& writer, std::size_t rows_max) {
  UsageLog& log = tables.usage_log();
  for (auto names = log.Take(rows_max); !names.empty(); names = log.Take(rows_max)) {
    std::vector<KeyPtr> entries;
    std::vector<LastUsage> taken;
    for (const UsageLog::Name& name : names) {
      KeyPtr entry = tables.FindKey(name.region, name.id);
      const auto usage = entry ? entry->materials->usage().TakeUnsaved() : std::nullopt;
      if (!usage) continue;
      entries.push_back(std::move(entry));
      taken.push_back(*usage);
    }
    if (entries.empty()) continue;
    Status saved = writer.Run([&](Txn& txn) -> Status {
      for (std::size_t i = 0; i < entries.size(); ++i) {
        const keys::Key& key = entries[i]->key;
        const LastUsage& usage = taken[i];
        txn.PutUsage({key.account, key.region, key.id, std::string(usage.operation), usage.date,
                      std::string(usage.event_id.begin(), usage.event_id.end()),
                      std::string(usage.request_id.begin(), usage.request_id.end())});
      }
      return {};
    });
    if (saved) continue;
    for (std::size_t i = 0; i < entries.size(); ++i) tables.NoteUsage(*entries[i], taken[i]);
    return saved;
  }
  return {};
}

}  // namespace keyturn::service
