// JobRequest: what a page asks for when it makes a job, and the changes that this means.
//
// Thread-safety: ParseJobRequest is pure; PlanJob runs on workers, several at once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "control/plan.h"
#include "server/request_state.h"
#include "service/call.h"

namespace keyturn::console {

inline constexpr std::size_t kJobKeysMax = 10000;
inline constexpr std::size_t kJobRequestBytesMax = 1 << 20;

struct JobRequest {
  control::RotationSetting wanted;
  std::string justification;
  std::vector<std::string> keys;  // ARNs
  bool dry_run = false;
};

// ParseJobRequest: kSerializationException for what is not JSON, kValidationException naming the
// member for anything else: {"Enabled":true,"PeriodInDays":365,"Justification":"",
// "Keys":["arn:..."],"DryRun":false}. Turning off needs a justification.
Result<JobRequest> ParseJobRequest(std::string_view body);
// ParseJustification reads {"Justification":"..."}; empty when the body is.
Result<std::string> ParseJustification(std::string_view body);

// JobPlan: the changes, with what each key is now, and the keys that are left alone with reasons.
struct JobPlan {
  control::Plan plan;
  struct LeftAlone {
    std::string key;  // as it was asked for
    std::string reason;
  };
  std::vector<LeftAlone> left_alone;
};

// PlanJob reads every key as the caller and decides; it changes nothing.
JobPlan PlanJob(const service::Environment& environment, const server::RequestState& request,
                const JobRequest& asked);

}  // namespace keyturn::console
