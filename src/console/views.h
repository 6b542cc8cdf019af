// Views: what the console shows of many keys in one answer, where the API would take a call for
// each. Every key is authorised and described by the API's own handlers; what the caller may not
// see is left out of the answer, or null where the key itself may be seen.
//
// Thread-safety: called on workers, several at once; the request is the caller's own.
#pragma once

#include "base/error.h"
#include "server/request_state.h"
#include "service/service.h"

namespace keyturn::console {

// A view fills request.body from request.caller, region and query. Errors are the API's.
using ViewFunction = Status (*)(service::Service&, server::RequestState&);

// ViewKeys: all keys of the account in the region that the caller may describe, each with what
// `keyturn audit` says of it.
Status ViewKeys(service::Service& service, server::RequestState& request);
// ViewPermissions: ?key-id=: which operations the caller may call on that key, and why not. Without
// a key: those that are on no key.
Status ViewPermissions(service::Service& service, server::RequestState& request);
// ViewTrail: ?key-id=&principal=&operation=&limit=&before=: the last records, newest first. Needs
// keyturn:LookupEvents.
Status ViewTrail(service::Service& service, server::RequestState& request);

}  // namespace keyturn::console
