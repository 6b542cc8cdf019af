// Audit: the trail record of a request.
#pragma once

#include <string>

#include "base/error.h"
#include "server/request_state.h"

namespace keyturn::server {

// AppendAuditLine appends the record of a finished request and a line end. error is null on
// success.
void AppendAuditLine(const RequestState& request, std::string_view event_id, const Error* error,
                     std::string& out);

// NoteTargets records the keys and aliases that a call acts on.
void NoteTargets(const service::Call& call, AuditFacts& facts);

}  // namespace keyturn::server
