// Console: the web console's server side. Pages are assets in the binary; what they show and do
// goes through /console/api, as a person who has signed in:
//
//   POST sign-in              signed like an API call (service "keyturn-console"); sets the cookie
//   GET  session              who is signed in, and the token that guards the other calls
//   POST sign-out, sign-out-everywhere
//   POST confirm              signed again, with the cookie: destructive calls are taken for a
//                                  while
//   POST call/<Operation>          any KMS operation, through the same pipeline as POST /
//   GET  keys, permissions, trail  many keys in one answer; what a caller may do; the last calls
//   jobs                           one setting for many keys (console/jobs/job_api.h)
//
// All but sign-in need the cookie; all but sign-in and session need the header x-keyturn-csrf too.
// Requests of other origins are refused. The cookie means nothing to the API itself.
//
// Thread-safety: see server::Pages.
#pragma once

#include "console/sign_ins.h"
#include "console/views.h"
#include "server/pages.h"

namespace keyturn::console {

inline constexpr std::string_view kServiceName = "keyturn-console";

struct ConsoleOptions {
  SignInLimits sign_in;
  RenderAudit render_audit;
};

std::unique_ptr<server::Pages> MakeConsole(server::Pipeline& pipeline,
                                           const ConsoleOptions& options);

}  // namespace keyturn::console
