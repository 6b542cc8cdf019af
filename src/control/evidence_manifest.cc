// The manifest of a bundle, read back.
#include "base/hex.h"
#include "control/evidence_bundle.h"

namespace keyturn::control {
namespace {

using json::Value;

constexpr std::size_t kFilesMax = 64;

// Fields reads members of one object and remembers the first that is wrong.
class Fields {
 public:
  Fields(const Value& object, std::string& wrong) : object_(object), wrong_(wrong) {}

  std::string Text(std::string_view name) {
    const auto member = object_.Find(name);
    const auto text = member ? member->AsString() : std::nullopt;
    if (!text) Wrong(name);
    return std::string(text.value_or(std::string_view{}));
  }
  std::uint64_t Number(std::string_view name) {
    const auto member = object_.Find(name);
    const auto number = member ? member->AsInt() : std::nullopt;
    if (!number || *number < 0) {
      Wrong(name);
      return 0;
    }
    return static_cast<std::uint64_t>(*number);
  }
  bool Bool(std::string_view name) {
    const auto member = object_.Find(name);
    const auto bit = member ? member->AsBool() : std::nullopt;
    if (!bit) Wrong(name);
    return bit.value_or(false);
  }
  TimePoint Time(std::string_view name) {
    const auto time = ParseIso8601(Text(name));
    if (!time) Wrong(name);
    return time.value_or(TimePoint());
  }
  std::string Digest(std::string_view name) {
    std::string text = Text(name);
    if (text.size() != 64 || !HexDecode(text)) Wrong(name);
    return text;
  }
  std::optional<Value> Member(std::string_view name, json::Type type) {
    auto member = object_.Find(name);
    if (member && member->type() == type) return member;
    if (!member || !member->is_null()) Wrong(name);
    return std::nullopt;
  }
  void Wrong(std::string_view name) {
    if (wrong_.empty()) wrong_ = "'" + std::string(name) + "' is missing or has no sense";
  }

 private:
  const Value& object_;
  std::string& wrong_;
};

// IsPlainName: a file of the bundle itself, never another.
bool IsPlainName(std::string_view name) {
  return !name.empty() && name.size() <= 255 && name.front() != '.' &&
         name.find_first_of(std::string_view("/\\\0", 3)) == std::string_view::npos &&
         name != kManifestFile && name != kSshSignatureFile && name != kCmsSignatureFile;
}

void ReadFiles(const Value& root, EvidenceManifest& manifest, std::string& wrong) {
  Fields fields(root, wrong);
  const auto files = fields.Member("files", json::Type::kArray);
  if (!files || files->size() > kFilesMax) return fields.Wrong("files");
  files->ForEachElement([&](std::size_t, Value value) {
    Fields file(value, wrong);
    manifest.files.push_back({file.Text("name"), file.Number("bytes"), file.Digest("sha256")});
    if (!IsPlainName(manifest.files.back().name)) file.Wrong("name");
    return wrong.empty();
  });
  bool has_records = false;
  for (std::size_t i = 0; i < manifest.files.size(); ++i) {
    has_records = has_records || manifest.files[i].name == kRecordsFile;
    for (std::size_t j = 0; j < i; ++j) {
      if (manifest.files[i].name == manifest.files[j].name) fields.Wrong("files");
    }
  }
  if (!has_records) fields.Wrong("files");
}

}  // namespace

Result<EvidenceManifest> ParseManifest(std::string_view text, std::string_view place) {
  json::Parser parser(json::Limits{.bytes_max = 16 << 20, .depth_max = 8});
  const auto root = parser.Parse(text);
  const auto wrong_place = [place](std::string_view what) {
    return Fail(ErrorCode::kCorrupt, std::string(place) + ": " + std::string(what));
  };
  if (!root || root->type() != json::Type::kObject) return wrong_place("is no JSON object");
  std::string wrong;
  Fields fields(*root, wrong);
  const std::string format = fields.Text("format");
  if (format != kEvidenceFormat) {
    if (format.starts_with("keyturn.evidence.v")) {
      return Fail(ErrorCode::kNewerFormat, std::string(place) + ": was written by a newer keyturn");
    }
    return wrong_place("is no manifest of evidence");
  }
  EvidenceManifest manifest;
  manifest.run_id = fields.Text("run_id");
  manifest.command = fields.Text("command");
  manifest.tool_version = fields.Text("tool_version");
  manifest.started = fields.Time("started");
  manifest.finished = fields.Time("finished");
  if (const auto policy = fields.Member("policy", json::Type::kObject)) {
    Fields inner(*policy, wrong);
    EvidenceRecorder::Policy judged;
    judged.max_period_days = static_cast<int>(inner.Number("max_period_days") & 0xffffff);
    judged.strict_disabled = inner.Bool("strict_disabled");
    manifest.policy = judged;
  }
  if (const auto records = fields.Member("records", json::Type::kObject)) {
    Fields inner(*records, wrong);
    manifest.records = inner.Number("count");
    manifest.calls = inner.Number("calls");
    manifest.first_link = inner.Digest("first_link");
    manifest.head = inner.Digest("head");
  } else {
    fields.Wrong("records");
  }
  ReadFiles(*root, manifest, wrong);
  if (!wrong.empty()) return wrong_place(wrong);
  return manifest;
}

}  // namespace keyturn::control
