#include "report/preflight.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "json/json.h"
#include "report/canvas.h"
#include "report/text.h"

namespace keyturn::report {
namespace {

using control::Found;
using control::PermissionCheck;
using control::PreflightPlace;
using control::PreflightRun;
using control::RegionStatus;

// Clocks that differ by less are not worth a word.
constexpr std::chrono::seconds kSkewShown{60};
constexpr std::size_t kActionColumn = 27;  // "kms:GetKeyRotationStatus", and the gap

// Block: regions of one account that are alike.
struct Block {
  const PreflightPlace* place = nullptr;
  std::vector<std::string> regions;
};

bool IsSkewed(const PreflightPlace& place) {
  return place.clock_skew && std::chrono::abs(*place.clock_skew) >= kSkewShown;
}

bool IsAlike(const PreflightPlace& a, const PreflightPlace& b) {
  return a.endpoint_url == b.endpoint_url && a.account == b.account && a.status == b.status &&
         a.asked_for == b.asked_for && a.detail == b.detail && a.checks == b.checks &&
         !IsSkewed(a) && !IsSkewed(b);
}

std::vector<Block> BlocksOf(const PreflightRun& run) {
  std::vector<Block> blocks;
  for (const PreflightPlace& place : run.places) {
    const auto same = std::find_if(blocks.begin(), blocks.end(), [&place](const Block& block) {
      return IsAlike(*block.place, place);
    });
    if (same == blocks.end()) {
      blocks.push_back({&place, {place.region}});
    } else {
      same->regions.push_back(place.region);
    }
  }
  return blocks;
}

struct Counts {
  std::size_t missing = 0;
  std::size_t unknown = 0;
};

Counts CountsOf(const PreflightRun& run) {
  Counts counts;
  for (const PreflightPlace& place : run.places) {
    for (const PermissionCheck& check : place.checks) {
      if (check.optional) continue;
      counts.missing += check.found == Found::kMissing ? 1 : 0;
      counts.unknown += check.found == Found::kUnknown ? 1 : 0;
    }
  }
  return counts;
}

std::string Sentence(const PreflightRun& run) {
  const Counts counts = CountsOf(run);
  const int code = control::PreflightExitCode(run);
  if (code == control::kExitCompliant) return "Everything that is needed is there.";
  if (counts.missing > 0) {
    return fmt::format(
        "{} missing{}.",
        counts.missing == 1 ? "1 permission is" : Thousands(counts.missing) + " permissions are",
        counts.unknown > 0
            ? fmt::format(", and {} could not be found out", Thousands(counts.unknown))
            : "");
  }
  if (code == control::kExitFindings) return "A run would not get what it is asked for.";
  return run.cancelled ? "Stopped: not everything was looked at."
                       : "Something could not be found out; nothing is known to be missing.";
}

Ink InkOf(const PermissionCheck& check) {
  if (check.found == Found::kAllowed) return Ink::kGreen;
  if (check.found == Found::kNothing) return Ink::kDim;
  return check.found == Found::kMissing && !check.optional ? Ink::kRed : Ink::kYellow;
}

std::string_view SignOf(const PermissionCheck& check, const Glyphs& glyphs) {
  if (check.found == Found::kAllowed) return glyphs.pass;
  if (check.found == Found::kNothing) return glyphs.none;
  return check.found == Found::kMissing && !check.optional ? glyphs.fail : glyphs.warn;
}

void CheckLine(Canvas& canvas, const PermissionCheck& check) {
  std::string word(FoundName(check.found));
  if (check.optional) word += ", optional";
  canvas.Line("    " + PadRight(check.phase, 14) +
              canvas.Paint(InkOf(check), fmt::format("{} {}", SignOf(check, canvas.glyphs()),
                                                     PadRight(check.action, kActionColumn))) +
              canvas.Paint(Ink::kDim, word));
  if (!check.detail.empty() && check.found != Found::kNothing) {
    canvas.Paragraph(canvas.Clean(check.detail), 20, Ink::kDim);
  }
}

std::string StatusText(const PreflightPlace& place) {
  if (place.status == RegionStatus::kScanned) return "answers";
  return std::string(RegionStatusName(place.status));
}

void BlockLines(Canvas& canvas, const Block& block) {
  const PreflightPlace& place = *block.place;
  std::string regions;
  for (const std::string& region : block.regions) {
    if (!region.empty()) regions += (regions.empty() ? "" : ", ") + region;
  }
  std::string head = place.account.empty() ? "account not known" : place.account;
  if (!place.endpoint_url.empty()) head += " at " + place.endpoint_url;
  const bool good = place.status == RegionStatus::kScanned || !place.asked_for;
  canvas.Line("  " + canvas.Paint(Ink::kBold, canvas.Clean(head)) + "  " +
              canvas.Paint(good ? Ink::kDim : Ink::kRed, StatusText(place)));
  if (!regions.empty()) canvas.Paragraph(canvas.Clean(regions), 4, Ink::kDim);
  if (!place.detail.empty()) canvas.Paragraph(canvas.Clean(place.detail), 4);
  if (IsSkewed(place)) {
    const auto seconds = place.clock_skew->count();
    canvas.Paragraph(
        fmt::format("The clock here is {} s {} the endpoint's{}", std::abs(seconds),
                    seconds > 0 ? "behind" : "ahead of",
                    std::chrono::abs(*place.clock_skew) > control::kClockSkewMax
                        ? "; AWS refuses signatures that are more than 300 s off: set the clock."
                        : "."),
        4, Ink::kYellow);
  }
  if (place.status != RegionStatus::kScanned && place.status != RegionStatus::kDenied) {
    canvas.Line();
    return;
  }
  for (const PermissionCheck& check : place.checks) {
    if (place.region.empty() && check.detail == place.detail) {
      CheckLine(canvas, {check.phase, check.action, check.optional, check.found, {}});
    } else {
      CheckLine(canvas, check);
    }
  }
  canvas.Line();
}

void WriteCheck(json::Writer& w, const PermissionCheck& check) {
  w.BeginObject().Key("phase").String(check.phase).Key("action").String(check.action);
  w.Key("optional").Bool(check.optional).Key("found").String(FoundName(check.found));
  w.Key("detail");
  if (check.detail.empty()) {
    w.Null();
  } else {
    w.String(WellFormed(check.detail));
  }
  w.EndObject();
}

void WritePlace(json::Writer& w, const PreflightPlace& place) {
  const auto text = [&w](std::string_view name, const std::string& value) {
    w.Key(name);
    if (value.empty()) {
      w.Null();
    } else {
      w.String(WellFormed(value));
    }
  };
  w.BeginObject().Key("endpoint").String(WellFormed(control::EndpointName(place.endpoint_url)));
  text("account", place.account);
  text("region", place.region);
  w.Key("status").String(RegionStatusName(place.status));
  w.Key("asked_for").Bool(place.asked_for);
  text("detail", place.detail);
  text("caller", place.caller_arn);
  w.Key("clock_skew_seconds");
  if (place.clock_skew) {
    w.Int(place.clock_skew->count());
  } else {
    w.Null();
  }
  w.Key("permissions").BeginArray();
  for (const PermissionCheck& check : place.checks) WriteCheck(w, check);
  w.EndArray().EndObject();
}

}  // namespace

std::string RenderPreflight(const PreflightRun& run, const TerminalStyle& style) {
  Canvas canvas(style);
  const int code = control::PreflightExitCode(run);
  const bool good = code == control::kExitCompliant;
  const std::string_view sign = good                             ? canvas.glyphs().pass
                                : code == control::kExitFindings ? canvas.glyphs().fail
                                                                 : canvas.glyphs().warn;
  canvas.Line(canvas.Paint(good                             ? Ink::kBoldGreen
                           : code == control::kExitFindings ? Ink::kBoldRed
                                                            : Ink::kBoldYellow,
                           fmt::format("{} preflight", sign)) +
              "   " + canvas.Paint(Ink::kBold, Sentence(run)));
  canvas.Line();
  for (const Block& block : BlocksOf(run)) BlockLines(canvas, block);
  for (const std::string& note : run.notes) canvas.Paragraph(canvas.Clean(note), 2);
  if (!good) {
    canvas.Paragraph(
        "'keyturn policy audit', 'remediate' and 'backout' print the policies that are needed.", 2,
        Ink::kDim);
  }
  return canvas.Take();
}

std::string RenderPreflightJson(const PreflightRun& run) {
  std::string out;
  json::Writer w(out, json::Writer::Style::kPretty);
  const Counts counts = CountsOf(run);
  w.BeginObject().Key("format").String("keyturn.preflight.v1");
  w.Key("tool_version").String(WellFormed(run.tool_version));
  w.Key("started").String(FormatIso8601Millis(run.started));
  w.Key("finished").String(FormatIso8601Millis(run.finished));
  w.Key("cancelled").Bool(run.cancelled);
  w.Key("missing").Int(static_cast<std::int64_t>(counts.missing));
  w.Key("unknown").Int(static_cast<std::int64_t>(counts.unknown));
  w.Key("places").BeginArray();
  for (const PreflightPlace& place : run.places) WritePlace(w, place);
  w.EndArray().Key("notes").BeginArray();
  for (const std::string& note : run.notes) w.String(WellFormed(note));
  w.EndArray().EndObject();
  return out + "\n";
}

}  // namespace keyturn::report
