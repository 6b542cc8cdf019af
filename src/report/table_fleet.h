// TableFleet: what the terminal's table says of many accounts together. Private to this room.
// Thread-safety: pure functions on a canvas.
#pragma once

#include <vector>

#include "report/canvas.h"
#include "report/summary.h"

namespace keyturn::report {

// IsExcused: not scanned, and nothing is missed.
bool IsExcused(const RegionGroup& group);

// ShowExcused tells of the regions that accounts do not have, by region, and of the accounts that
// nobody can call. There may be thousands, and nothing is to be done about any.
void ShowExcused(const std::vector<RegionGroup>& groups, Canvas& canvas);

// ShowWorstAccounts: where to begin, when there are many accounts.
void ShowWorstAccounts(const std::vector<RegionGroup>& groups, bool several_endpoints,
                       Canvas& canvas);

}  // namespace keyturn::report
