// Dispatch: from an operation's number to its types, and the steps that are the same for all.
#include <fmt/format.h>

#include <array>
#include <type_traits>

#include "api/codec.h"
#include "base/uuid.h"
#include "json/json.h"
#include "server/audit.h"
#include "server/pipeline.h"
#include "service/admission.h"
#include "service/aws_managed.h"
#include "service/key_pairs.h"
#include "service/outside_work.h"
#include "service/recipient.h"
#include "service/request_conditions.h"

namespace keyturn::server {
namespace {

using service::Call;

// NoteMaterials puts the key materials that were used, and where a key outside is, into
// additionalEventData.
void NoteMaterials(const Call& call, AuditFacts& facts) {
  constexpr std::size_t kUsualBytes = 128;
  std::string text;
  text.reserve(kUsualBytes);
  json::Writer writer(text);
  writer.BeginObject();
  bool any = false;
  const auto add = [&](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    writer.Key(name).String(value);
    any = true;
  };
  add("grantId", call.grant_id);
  if (!call.targets.empty() && call.key().key.custody) {
    add("customKeyStoreId", call.key().key.custody->store);
    add("xksKeyId", call.key().key.custody->external_key);
  }
  const bool two = !call.destination_key_material_id.empty();
  add(two ? "sourceKeyMaterialId" : "keyMaterialId", call.key_material_id);
  add("destinationKeyMaterialId", call.destination_key_material_id);
  if (call.attested) {
    writer.Key("recipient").Raw(service::RecipientJson(*call.attested));
    any = true;
  }
  writer.EndObject();
  if (any) facts.operation_event_data = std::move(text);
}

// NoteResponse fills responseElements of an operation that changed state: its answer, or else the
// key's ARN.
template <typename Response>
void NoteResponse(const Call& call, const Response& response, AuditFacts& facts) {
  if (!api::AppendTrailObject(response, facts.response_elements) && !call.targets.empty()) {
    facts.response_elements = R"({"keyId":")" + call.targets.back().key->key.arn() + "\"}";
  }
}

// NoteUsage keeps when the keys of a cryptographic operation were last used.
template <typename Operation>
void NoteUsage(const Call& call, RequestState& request) {
  constexpr std::string_view kTracked = service::TrackedUsage(Operation::kInfo.name);
  if constexpr (!kTracked.empty()) {
    request.event_id = NewUuidText(call.environment.random);
    for (const service::Target& target : call.targets) {
      call.environment.tables.NoteUsage(
          *target.key, {kTracked, request.now, request.event_id, request.request_id});
    }
  }
}

// MayWait: what a call on a worker has that one on a loop has not.
template <typename Operation>
void MayWait(Call& call, const RequestState& request) {
  call.may_wait = true;
  call.operation = Operation::kInfo.name;
  call.request_id = {request.request_id.data(), request.request_id.size()};
}

// Count counts the request against the quotas, once however often it is run.
template <typename Operation>
Status Count(const Call& call, const typename Operation::Request& input, RequestState& request) {
  if (call.environment.limiter == nullptr || request.counted) return {};
  request.counted = true;
  return service::Admit<Operation>(call, input);
}

// Perform is the middle of the pipeline: resolve, authorise, handle, encode.
template <typename Operation>
Status Perform(Call& call, const typename Operation::Request& input, RequestState& request) {
  const Status prepared = service::Prepare<Operation>(call, input);
  NoteTargets(call, request.audit);
  KT_TRY(Count<Operation>(call, input, request));
  KT_TRY(prepared);
  auto response = service::Handle<Operation>(call, input);
  NoteMaterials(call, request.audit);
  if (!response) return Fail(std::move(response).error());
  NoteUsage<Operation>(call, request);
  if constexpr (Operation::kInfo.mutates) {
    NoteTargets(call, request.audit);  // CreateKey has its key only now
    NoteResponse(call, *response, request.audit);
  }
  if constexpr (Operation::kInfo.has_output) {
    api::EncodeMembers(*response, request.body);
  }
  return {};
}

// RunReadingAside performs on a worker and ends on the request's own loop, where it must die. A
// call that meets a key of a custom key store is run again where it may wait.
template <typename Operation>
void RunReadingAside(Pipeline& pipeline, bool may_wait, const RequestPtr& request,
                     std::shared_ptr<typename Operation::Request> input) {
  Workers& workers = may_wait ? pipeline.outside_workers() : pipeline.workers();
  const bool taken = workers.Submit([&pipeline, may_wait, held = request, input]() mutable {
    const service::Environment& environment = pipeline.service().environment();
    Status done;
    bool again = false;
    {
      Call call{environment, held->caller, held->region, held->now, environment.tables};
      if (may_wait) MayWait<Operation>(call, *held);
      done = Perform<Operation>(call, *input, *held);
      again = call.must_wait;
    }
    http::Loop& loop = held->exchange->loop();
    loop.Post([&pipeline, request = std::move(held), input, done, again] {
      if (done) {
        pipeline.Succeed(request);
      } else if (again) {
        RunReadingAside<Operation>(pipeline, true, request, input);
      } else {
        pipeline.Refuse(request, done.error());
      }
    });
  });
  if (!taken) pipeline.Refuse(request, service::Throttled());
}

// RunReading runs on the loop.
template <typename Operation>
void RunReading(Pipeline& pipeline, const RequestPtr& request, typename Operation::Request& input) {
  const service::Environment& environment = pipeline.service().environment();
  Call call{environment, request->caller, request->region, request->now, environment.tables};
  if (const Status done = Perform<Operation>(call, input, *request); !done) {
    if (call.must_wait) {
      RunReadingAside<Operation>(pipeline, true, request,
                                 std::make_shared<typename Operation::Request>(std::move(input)));
      return;
    }
    pipeline.Refuse(request, done.error());
    return;
  }
  pipeline.Succeed(request);
}

// Answer ends a changing operation, whose record is in the trail already if it is done.
void Answer(Pipeline& pipeline, RequestPtr held, const Status& done) {
  http::Loop& loop = held->exchange->loop();
  loop.Post([&pipeline, request = std::move(held), done] {
    if (done) {
      pipeline.Reply(request, nullptr);
    } else {
      request->audit.response_elements.clear();
      pipeline.Refuse(request, done.error());
    }
  });
}

// ComeBack ends the outside part of a changing operation on a worker, then answers. When no worker
// takes it, a token may keep a key that nobody uses, as after a crash.
template <typename Operation>
void ComeBack(Pipeline& pipeline, RequestPtr held, const Status& done) {
  // The worker takes the request out of its holder, so that it dies on its loop here too.
  auto holder = std::make_shared<RequestPtr>(std::move(held));
  const bool taken = pipeline.outside_workers().Submit([&pipeline, holder, done] {
    service::ComeBack<Operation>(pipeline.service().environment(), *(*holder)->outside_work,
                                 done.has_value());
    Answer(pipeline, std::move(*holder), done);
  });
  if (!taken) Answer(pipeline, std::move(*holder), done);
}

// RunChanging runs on the writer's thread, with the audit record in the same commit; the reply goes
// out from the request's own loop.
template <typename Operation>
void RunChanging(Pipeline& pipeline, const RequestPtr& request,
                 std::shared_ptr<typename Operation::Request> input) {
  pipeline.service().writer().Submit(
      [&pipeline, request, input](service::Txn& txn) -> Status {
        const service::Environment& environment = pipeline.service().environment();
        Call call{environment, request->caller, request->region, request->now, txn, &txn};
        if (request->ready_material) call.ready_material = &*request->ready_material;
        call.outside_work = request->outside_work.get();
        KT_TRY(Perform<Operation>(call, *input, *request));
        const std::string event_id = NewUuid(environment.random);
        std::string line;
        AppendAuditLine(*request, event_id, nullptr, line);
        line.pop_back();  // the line end is the trail's
        txn.AddTrailLine(event_id, std::move(line));
        return {};
      },
      // The request moves on to its loop and must die there, not on the writer's thread.
      [&pipeline, held = request](const Status& done) mutable {
        if constexpr (service::kGoesOutside<Operation>) {
          if (held->outside_work) {
            ComeBack<Operation>(pipeline, std::move(held), done);
            return;
          }
        }
        Answer(pipeline, std::move(held), done);
      });
}

// TakesLong: the request's work would hold up its loop, or the writer.
template <typename Request>
bool TakesLong(const Request& input) {
  if constexpr (requires { input.recipient; }) {
    if (input.recipient) return true;  // chains and RSA
  }
  if constexpr (requires { input.key_pair_spec; }) {
    return service::TakesLong(input.key_pair_spec);
  } else if constexpr (requires { input.signing_algorithm; }) {
    return service::TakesLong(input.signing_algorithm);
  } else if constexpr (requires { input.encryption_algorithm; }) {
    return input.encryption_algorithm && service::TakesLong(*input.encryption_algorithm);
  } else if constexpr (requires { input.source_encryption_algorithm; }) {
    return (input.source_encryption_algorithm &&
            service::TakesLong(*input.source_encryption_algorithm)) ||
           (input.destination_encryption_algorithm &&
            service::TakesLong(*input.destination_encryption_algorithm));
  } else if constexpr (std::is_same_v<Request, api::CreateKeyRequest>) {
    const auto spec = input.key_spec ? input.key_spec : input.customer_master_key_spec;
    const bool here = input.origin.value_or(model::Origin::kAwsKms) == model::Origin::kAwsKms;
    return here && spec && service::TakesLong(*spec);
  } else if constexpr (std::is_same_v<Request, api::GetParametersForImportRequest>) {
    return true;  // makes an RSA key pair
  } else {
    return false;
  }
}

// RunOutsideFirst does the outside part of a changing operation on a worker, if the caller may call
// it at all, and lets the writer go on with the result.
template <typename Operation>
void RunOutsideFirst(Pipeline& pipeline, const RequestPtr& request,
                     std::shared_ptr<typename Operation::Request> input) {
  const bool taken =
      pipeline.outside_workers().Submit([&pipeline, held = request, input]() mutable {
        Status admitted;
        {
          Call call{pipeline.service().environment(), held->caller, held->region, held->now,
                    pipeline.service().environment().tables};
          MayWait<Operation>(call, *held);
          const Status prepared = service::Prepare<Operation>(call, *input);
          admitted = Count<Operation>(call, *input, *held);
          if (admitted && prepared) {
            held->outside_work = std::make_shared<const service::OutsideWork>(
                service::GoOutside<Operation>(call, *input));
          }
        }
        http::Loop& loop = held->exchange->loop();
        loop.Post([&pipeline, request = std::move(held), input, admitted] {
          if (admitted) {
            RunChanging<Operation>(pipeline, request, input);
          } else {
            pipeline.Refuse(request, admitted.error());
          }
        });
      });
  if (!taken) pipeline.Refuse(request, service::Throttled());
}

// RunCreateKeyAside makes the key on a worker, if the caller may create one at all, and lets the
// writer go on with it.
void RunCreateKeyAside(Pipeline& pipeline, const RequestPtr& request,
                       const std::shared_ptr<api::CreateKeyRequest>& input) {
  const bool taken = pipeline.workers().Submit([&pipeline, held = request, input]() mutable {
    const service::Environment& environment = pipeline.service().environment();
    {
      Call call{environment, held->caller, held->region, held->now, environment.tables};
      if (service::Prepare<api::op::CreateKey>(call, *input)) {
        const auto spec = input->key_spec ? input->key_spec : input->customer_master_key_spec;
        held->ready_material = service::MakeMaterialBytes(environment.random, *spec);
      }
    }
    http::Loop& loop = held->exchange->loop();
    loop.Post([&pipeline, request = std::move(held), input] {
      RunChanging<api::op::CreateKey>(pipeline, request, input);
    });
  });
  if (!taken) pipeline.Refuse(request, service::Throttled());
}

// RunRead runs a reading operation where it belongs.
template <typename Operation>
void RunRead(Pipeline& pipeline, const RequestPtr& request, typename Operation::Request&& input) {
  if (TakesLong(input)) {
    RunReadingAside<Operation>(pipeline, false, request,
                               std::make_shared<typename Operation::Request>(std::move(input)));
  } else {
    RunReading<Operation>(pipeline, request, input);
  }
}

// RunWithAwsManagedKey makes the AWS managed key that the request names first, and then runs the
// request whatever became of that: it tells what is wrong.
template <typename Operation>
void RunWithAwsManagedKey(Pipeline& pipeline, const RequestPtr& request, const std::string& alias,
                          typename Operation::Request&& input) {
  auto held_input = std::make_shared<typename Operation::Request>(std::move(input));
  pipeline.service().writer().Submit(
      [&pipeline, request, alias, held_input](service::Txn& txn) -> Status {
        const service::Environment& environment = pipeline.service().environment();
        Call call{environment, request->caller, request->region, request->now, txn, &txn};
        call.asked = service::AskedBy(*held_input);
        return service::MakeAwsManagedKey(call, alias,
                                          fmt::format("kms:{}", Operation::kInfo.name));
      },
      [&pipeline, held = request, held_input](const Status& /*made*/) mutable {
        http::Loop& loop = held->exchange->loop();
        loop.Post([&pipeline, request = std::move(held), held_input] {
          RunRead<Operation>(pipeline, request, std::move(*held_input));
        });
      });
}

template <typename Operation>
void Run(Pipeline& pipeline, const RequestPtr& request) {
  constexpr const api::OperationInfo& info = Operation::kInfo;
  request->audit.read_only = info.read_only;
  if constexpr (!info.supported()) {
    pipeline.Refuse(
        request, {ErrorCode::kUnsupportedOperationException,
                  fmt::format("{} is not supported by this server: {}.", info.name, info.refusal),
                  {}});
  } else {
    const std::string_view text = request->exchange->request().body;
    auto value = pipeline.parser(*request).Parse(text.empty() ? "{}" : text);
    if (!value) {
      pipeline.Refuse(request, {ErrorCode::kSerializationException, {}, {}});
      return;
    }
    auto input = api::DecodeRequest<typename Operation::Request>(*value);
    if (!input) {
      pipeline.Refuse(request, input.error());
      return;
    }
    api::AppendTrailObject(*input, request->audit.request_parameters);
    if constexpr (info.mutates) {
      auto held = std::make_shared<typename Operation::Request>(std::move(*input));
      if constexpr (service::kGoesOutside<Operation>) {
        if (service::NeedsOutside(*held)) {
          RunOutsideFirst<Operation>(pipeline, request, std::move(held));
          return;
        }
      }
      if constexpr (info.operation == api::Operation::kCreateKey) {
        if (TakesLong(*held)) {
          RunCreateKeyAside(pipeline, request, held);
          return;
        }
      }
      RunChanging<Operation>(pipeline, request, std::move(held));
    } else {
      if constexpr (info.key_argument == api::KeyArgument::kKeyOrAlias) {
        const service::Environment& environment = pipeline.service().environment();
        if (environment.aws_managed_keys_on_first_use) {
          if (const auto alias = service::MissingAwsManagedKey(
                  environment, request->caller.account(), request->region, input->key_id)) {
            RunWithAwsManagedKey<Operation>(pipeline, request, *alias, std::move(*input));
            return;
          }
        }
      }
      RunRead<Operation>(pipeline, request, std::move(*input));
    }
  }
}

using RunFunction = void (*)(Pipeline&, const RequestPtr&);
#define KEYTURN_RUN(name) &Run<api::op::name>,
constexpr std::array<RunFunction, api::kOperationCount> kRun = {
    KEYTURN_FOR_EACH_OPERATION(KEYTURN_RUN)};
#undef KEYTURN_RUN

}  // namespace

void Dispatch(Pipeline& pipeline, const RequestPtr& request, api::Operation operation) {
  kRun[static_cast<std::size_t>(operation)](pipeline, request);
}

}  // namespace keyturn::server
