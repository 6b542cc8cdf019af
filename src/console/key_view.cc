// The list of keys, and the dashboard, which is made of the same facts.
#include "api/ops/list_keys.h"
#include "base/log.h"
#include "console/inventory.h"
#include "console/views.h"
#include "control/code_owner.h"
#include "control/evaluate.h"
#include "json/json.h"
#include "server/form.h"

namespace keyturn::console {
namespace {

void WriteDate(json::Writer& out, std::string_view name, const std::optional<TimePoint>& date) {
  if (date) out.Key(name).EpochSeconds(*date);
}

std::optional<control::CodeOwner> OwnerOf(const std::vector<api::Tag>& tags) {
  control::Tags pairs;
  for (const api::Tag& tag : tags) pairs.emplace_back(tag.tag_key, tag.tag_value);
  return control::OwnerOf(pairs, std::nullopt);
}

void WriteRow(const KeyRow& row, json::Writer& out) {
  if (row.tags) {
    out.Key("Tags").BeginArray();
    for (const api::Tag& tag : *row.tags) {
      out.BeginObject().Key("TagKey").String(tag.tag_key);
      out.Key("TagValue").String(tag.tag_value).EndObject();
    }
    out.EndArray();
    if (const auto owner = OwnerOf(*row.tags))
      out.Key("CodeOwner").String(control::OwnerText(*owner));
  }
  if (!row.denied.empty()) {
    out.Key("Denied").BeginArray();
    for (const std::string_view operation : row.denied) out.String(operation);
    out.EndArray();
  }
  if (row.rotations) {
    out.Key("Rotations").BeginArray();
    for (const api::RotationsListEntry& each : *row.rotations) {
      if (!each.rotation_date) continue;
      out.BeginObject();
      WriteDate(out, "RotationDate", each.rotation_date);
      out.Key("RotationType")
          .String(each.rotation_type ? model::ToWire(*each.rotation_type) : "")
          .EndObject();
    }
    out.EndArray();
  }
}

void WriteKey(const control::KeyResult& key, const KeyRow& row, json::Writer& out) {
  const control::KeyFacts& facts = key.facts;
  out.BeginObject().Key("KeyId").String(facts.key_id).Key("Arn").String(facts.arn);
  out.Key("Region").String(facts.region).Key("Aliases").BeginArray();
  for (const std::string& alias : facts.aliases) out.String(alias);
  out.EndArray();
  out.Key("KeyManager").String(facts.key_manager).Key("KeySpec").String(facts.key_spec);
  out.Key("KeyUsage").String(facts.key_usage).Key("Origin").String(facts.origin);
  out.Key("KeyState").String(facts.key_state).Key("Description").String(facts.description);
  out.Key("MultiRegion").Bool(facts.multi_region);
  if (facts.multi_region) out.Key("MultiRegionKeyType").String(facts.multi_region_type);
  WriteDate(out, "CreationDate", facts.creation_date);
  WriteDate(out, "DeletionDate", facts.deletion_date);
  if (facts.rotation) {
    out.Key("Rotation").BeginObject().Key("Enabled").Bool(facts.rotation->enabled);
    if (facts.rotation->period_days) out.Key("PeriodInDays").Int(*facts.rotation->period_days);
    WriteDate(out, "NextRotationDate", facts.rotation->next_rotation_date);
    out.EndObject();
  }
  WriteDate(out, "LastRotationDate", facts.last_rotation_date);
  WriteRow(row, out);
  out.Key("Verdict").String(control::VerdictName(key.judgement.verdict));
  out.Key("Reason").String(key.judgement.reason);
  out.Key("Remediable").Bool(key.judgement.remediable).EndObject();
}

// NoteDay: a history with a hole is better than a page that does not come.
void NoteDay(const server::RequestState& request, const control::Totals& totals,
             ComplianceLog& log) {
  const std::string account(request.caller.account().text());
  if (const Status noted = log.Note(account, DayOf(totals, request.now)); !noted) {
    LogError("the day's compliance was not kept: {}", noted.error().message);
  }
}

}  // namespace

Status ViewKeys(service::Service& service, server::RequestState& request, ComplianceLog& log) {
  const auto query = server::Form::Parse(request.exchange->request().query);
  if (!query) return Fail(ErrorCode::kValidationException, "The query is malformed.");
  const bool all = query->Get("regions") == "all";
  Inventory inventory;
  if (all) {
    KT_TRY(ReadAllRegions(service.environment(), request, inventory));
  } else {
    KT_TRY(ReadRegion(service.environment(), request, request.region, inventory));
  }
  (void)control::JudgeAll(inventory.keys, {}, {}, request.now);
  const control::Totals totals = control::CountTotals(inventory.keys);
  if (all && inventory.hidden_keys.empty()) NoteDay(request, totals, log);
  json::Writer out(request.body);
  out.BeginObject().Key("Now").EpochSeconds(request.now);
  out.Key("HiddenKeys").Int(static_cast<std::int64_t>(inventory.hidden_keys.size()));
  out.Key("Totals").BeginObject();
  for (const auto& [verdict, count] : totals.by_verdict) {
    out.Key(control::VerdictName(verdict)).Int(static_cast<std::int64_t>(count));
  }
  out.EndObject();
  if (totals.compliance_percent) {
    out.Key("CompliancePercent").Double(*totals.compliance_percent);
  }
  out.Key("Keys").BeginArray();
  for (const control::KeyResult& key : inventory.keys) {
    WriteKey(key, inventory.rows.at(key.facts.arn), out);
  }
  out.EndArray().EndObject();
  return {};
}

Status ViewHistory(service::Service& service, server::RequestState& request,
                   const ComplianceLog& log) {
  const service::Environment& environment = service.environment();
  service::Call call{environment, request.caller, request.region, request.now, environment.tables};
  KT_TRY(service::Prepare<api::op::ListKeys>(call, {}));
  json::Writer out(request.body);
  out.BeginObject().Key("Now").EpochSeconds(request.now).Key("Days").BeginArray();
  for (const ComplianceDay& day : log.Read(std::string(request.caller.account().text()))) {
    out.BeginObject().Key("Date").String(day.date);
    out.Key("Pass").Int(static_cast<std::int64_t>(day.pass));
    out.Key("Fail").Int(static_cast<std::int64_t>(day.fail));
    out.Key("Unknown").Int(static_cast<std::int64_t>(day.unknown));
    if (day.percent) out.Key("CompliancePercent").Double(*day.percent);
    out.EndObject();
  }
  out.EndArray().EndObject();
  return {};
}

}  // namespace keyturn::console
