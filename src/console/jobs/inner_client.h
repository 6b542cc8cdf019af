// InnerClient: calls of the API by the server itself, on behalf of a person who is signed in: no
// socket and no signature, but the same dispatch, rights, trail and metrics as any other call
// (server/dispatch.cc). A job's half of the control works through it as the command line works
// through HTTP.
//
// Thread-safety: as KmsClient: one thread, which is no event loop; the calls run on a loop.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "client/kms_client.h"
#include "console/sign_ins.h"
#include "server/pipeline.h"

namespace keyturn::console {

// Caller: whom a call is made as, and how that person's requests come.
struct InnerCaller {
  service::Caller caller;
  Origin origin;
};

class InnerClient {
 public:
  // Admit says whom the next call is made as, at that moment. When nobody may make it, the call and
  // all later ones fail with kNotSignedIn, unsent, and refused is called once.
  using Admit = std::function<Result<InnerCaller>()>;
  using Refused = std::function<void(const Error&)>;

  // note: a JSON object that goes into additionalEventData of each call's trail record. pipeline
  // and loop must outlive the client.
  static std::unique_ptr<client::KmsClient> Create(server::Pipeline& pipeline, http::Loop& loop,
                                                   std::string note, Admit admit, Refused refused);
};
inline constexpr std::string_view kNotSignedIn = "NotSignedIn";

}  // namespace keyturn::console
