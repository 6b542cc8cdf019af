// TrailDate: dates inside the trail's requestParameters and responseElements, which CloudTrail
// writes as English text: "Aug 10, 2022, 10:38:27 PM" (UTC).
#pragma once

#include <string>

#include "base/time.h"

namespace keyturn::api {

std::string TrailDate(TimePoint t);

}  // namespace keyturn::api
