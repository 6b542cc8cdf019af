// The dashboard's audit as a record to keep: the control's own run, rendered as `keyturn audit`
// renders it, and its digest in the trail.
#include <algorithm>

#include "base/hex.h"
#include "base/uuid.h"
#include "console/inventory.h"
#include "console/views.h"
#include "control/evaluate.h"
#include "crypto/digest.h"
#include "json/json.h"
#include "server/form.h"

namespace keyturn::console {
namespace {

std::string UrlOf(const http::RequestView& view) {
  return (view.tls ? "https://" : "http://") + std::string(view.Header("host"));
}

// Complete adds the keys that the caller may not describe: they are unknown, not absent.
void Complete(const server::RequestState& request, Inventory& inventory, control::AuditRun& run) {
  for (control::KeyResult& key : inventory.hidden_keys) inventory.keys.push_back(std::move(key));
  run.keys = std::move(inventory.keys);
  for (control::KeyResult& key : run.keys) key.facts.endpoint_url = run.endpoint;
  std::ranges::sort(run.keys, [](const control::KeyResult& a, const control::KeyResult& b) {
    return std::tie(a.facts.region, a.facts.arn) < std::tie(b.facts.region, b.facts.arn);
  });
  (void)control::JudgeAll(run.keys, {}, {}, request.now);
  run.totals = control::CountTotals(run.keys);
}

Result<control::AuditRun> RunAudit(const service::Environment& environment,
                                   const server::RequestState& request) {
  control::AuditRun run;
  run.run_id = NewUuid(environment.random);
  run.started = run.finished = request.now;
  run.endpoint = UrlOf(request.exchange->request());
  Inventory inventory;
  const std::string account(request.caller.account().text());
  std::size_t before = 0;
  for (const std::string& name : environment.tables.ListRegions(request.caller.account())) {
    KT_TRY(ReadRegion(environment, request, *model::Region::Intern(name), inventory));
    const std::size_t now = inventory.keys.size() + inventory.hidden_keys.size();
    run.regions.push_back(
        {run.endpoint, account, name, control::RegionStatus::kScanned, {}, now - before});
    before = now;
  }
  Complete(request, inventory, run);
  return run;
}

}  // namespace

Status ViewEvidence(service::Service& service, server::RequestState& request,
                    const RenderAudit& render) {
  const auto query = server::Form::Parse(request.exchange->request().query);
  if (!query) return Fail(ErrorCode::kValidationException, "The query is malformed.");
  KT_ASSIGN(const control::AuditRun run, RunAudit(service.environment(), request));
  const auto text = render(run, query->Get("format"));
  if (!text) return Fail(ErrorCode::kValidationException, "format must be json, csv or html.");
  const std::string digest = HexEncode(crypto::Sha256(AsBytes(*text)));
  json::Writer(request.audit.additional_event_data)
      .BeginObject()
      .Key("runId")
      .String(run.run_id)
      .Key("sha256")
      .String(digest)
      .EndObject();
  json::Writer(request.body)
      .BeginObject()
      .Key("RunId")
      .String(run.run_id)
      .Key("Sha256")
      .String(digest)
      .Key("Text")
      .String(*text)
      .EndObject();
  return {};
}

}  // namespace keyturn::console
