// Views: what the console shows of many keys in one answer, where the API would take a call for
// each. Every key is authorised and described by the API's own handlers; what the caller may not
// see is left out of the answer, or null where the key itself may be seen.
//
// Thread-safety: called on workers, several at once; the request is the caller's own.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "console/compliance_log.h"
#include "control/run.h"
#include "server/request_state.h"
#include "service/service.h"

namespace keyturn::console {

// A view fills request.body from request.caller, region and query. Errors are the API's.
using ViewFunction = std::function<Status(service::Service&, server::RequestState&)>;

// ViewKeys: all keys of the account in the region that the caller may describe, each with what
// `keyturn audit` says of it. ?regions=all: of all regions; the totals go into the log.
Status ViewKeys(service::Service& service, server::RequestState& request, ComplianceLog& log);
// ViewHistory: the log, for who may list keys.
Status ViewHistory(service::Service& service, server::RequestState& request,
                   const ComplianceLog& log);
// ViewExplanation: ?key-id=&operation=&user=: which statements decide whether the caller, or a user
// of the account, may do that. Needs kms:GetKeyPolicy, and keyturn:ListUsers for another user.
Status ViewExplanation(service::Service& service, server::RequestState& request);

// RenderAudit makes a report of a run ("json", "csv", "html"); nullopt for a format that it does
// not have. The console does not know the room that does it.
using RenderAudit = std::function<std::optional<std::string>(const control::AuditRun& run,
                                                             std::string_view format)>;
// ViewEvidence: ?format=: an audit of all regions as the caller, rendered, with its SHA-256, which
// goes into the trail.
Status ViewEvidence(service::Service& service, server::RequestState& request,
                    const RenderAudit& render);

// ViewPermissions: ?key-id=: which operations the caller may call on that key, and why not. Without
// a key: those that are on no key.
Status ViewPermissions(service::Service& service, server::RequestState& request);
// ViewTrail: ?key-id=&principal=&operation=&limit=&before=: the last records, newest first. Needs
// keyturn:LookupEvents.
Status ViewTrail(service::Service& service, server::RequestState& request);

}  // namespace keyturn::console
