// Do the tables say what the published model says? tests/data/kms-model.json holds its names, types
// and constraints. What the service enforces below the model is listed here.
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <vector>

#include "api/codec.h"

namespace keyturn::api {
namespace {

// Bounds that the service enforces inside the model's.
const std::set<std::pair<std::string, std::string>> kServiceBounds = {
    {"ListAliases", "Limit"},
    {"ListResourceTags", "Limit"},
    {"ListGrants", "Limit"},
    {"ListRetirableGrants", "Limit"},
    {"ScheduleKeyDeletion", "PendingWindowInDays"}};

struct Model {
  Model() : parser(json::Limits{.bytes_max = 4 << 20, .depth_max = 32}) {
    std::ifstream file(std::string(KEYTURN_SOURCE_DIR) + "/tests/data/kms-model.json");
    std::stringstream text;
    text << file.rdbuf();
    root = *parser.Parse(text.str());
  }
  json::Value Shape(std::string_view name) const { return *root.Find("shapes")->Find(name); }
  json::Parser parser;
  json::Value root;
};

const Model& TheModel() {
  static const Model model;
  return model;
}

std::int64_t Bound(json::Value shape, const char* name, std::int64_t otherwise) {
  const auto value = shape.Find(name);
  return value ? value->AsInt().value_or(otherwise) : otherwise;
}

// Member: what a table says of one member, whatever its type: so the comparison is compiled once.
struct Member {
  std::string_view name;
  const Constraint* constraint;
};

template <typename T>
std::vector<Member> MembersOf() {
  return std::apply(
      [](const auto&... each) {
        return std::vector<Member>{Member{each.name, &each.constraint}...};
      },
      kShape<T>);
}

void CompareMember(std::string_view operation, const Member& member, json::Value shape) {
  SCOPED_TRACE(std::string(operation) + "." + std::string(member.name));
  const auto type = shape.Find("type")->AsString();
  const Constraint& constraint = *member.constraint;
  if (type == "integer" &&
      !kServiceBounds.contains({std::string(operation), std::string(member.name)})) {
    EXPECT_EQ(constraint.range_min, Bound(shape, "min", 0));
    EXPECT_EQ(constraint.range_max, Bound(shape, "max", 0));
  }
  if ((type == "string" && !shape.Find("enum")) || type == "blob" || type == "list") {
    if (const auto max = shape.Find("max")) {
      EXPECT_EQ(static_cast<std::int64_t>(constraint.length_max), max->AsInt());
      EXPECT_EQ(static_cast<std::int64_t>(constraint.length_min), Bound(shape, "min", 0));
    }
    const auto pattern = shape.Find("pattern");
    EXPECT_EQ(constraint.pattern != nullptr, pattern.has_value());
    if (pattern && constraint.pattern != nullptr) {
      EXPECT_EQ(constraint.pattern->text, pattern->AsString());
    }
  }
}

void CompareStruct(std::string_view operation, const std::vector<Member>& ours,
                   std::optional<json::Value> shape_ref) {
  SCOPED_TRACE(std::string(operation));
  if (!shape_ref || shape_ref->is_null()) {
    EXPECT_TRUE(ours.empty());
    return;
  }
  const json::Value shape = TheModel().Shape(*shape_ref->Find("shape")->AsString());
  const auto members = shape.Find("members");
  EXPECT_EQ(ours.size(), members ? members->size() : 0U);
  std::set<std::string_view> required;
  if (const auto list = shape.Find("required")) {
    list->ForEachElement([&](std::size_t, json::Value name) {
      required.insert(*name.AsString());
      return true;
    });
  }
  for (const Member& member : ours) {
    const auto found = members->Find(member.name);
    ASSERT_TRUE(found) << member.name;
    EXPECT_EQ(member.constraint->required, required.contains(member.name)) << member.name;
    CompareMember(operation, member, TheModel().Shape(*found->Find("shape")->AsString()));
  }
}

void CompareOperation(const OperationInfo& info, const std::vector<Member>& request,
                      const std::vector<Member>& response) {
  const auto modelled = TheModel().root.Find("operations")->Find(info.name);
  ASSERT_TRUE(modelled) << info.name;
  CompareStruct(info.name, request, modelled->Find("input"));
  CompareStruct(info.name, response, modelled->Find("output"));
  const auto output = modelled->Find("output");
  EXPECT_EQ(info.has_output, output && !output->is_null()) << info.name;
}

TEST(Model, TablesHaveTheModelsMembersAndConstraints) {
  EXPECT_EQ(TheModel().root.Find("operations")->size(), kOperationCount);
#define KEYTURN_COMPARE(name)                                       \
  CompareOperation(op::name::kInfo, MembersOf<op::name::Request>(), \
                   MembersOf<op::name::Response>());
  KEYTURN_FOR_EACH_OPERATION(KEYTURN_COMPARE)
#undef KEYTURN_COMPARE
}

template <typename E>
void CompareEnum(const char* shape_name) {
  std::vector<std::string> modelled;
  TheModel().Shape(shape_name).Find("enum")->ForEachElement([&](std::size_t, json::Value value) {
    modelled.emplace_back(*value.AsString());
    return true;
  });
  std::vector<std::string> ours;
  for (const auto& each : model::EnumTable<E>::kNames) ours.emplace_back(each.wire);
  EXPECT_EQ(ours, modelled) << shape_name;
}

TEST(Model, EnumsHaveTheModelsValues) {
  CompareEnum<model::KeySpec>("KeySpec");
  CompareEnum<model::KeyUsage>("KeyUsageType");
  CompareEnum<model::KeyState>("KeyState");
  CompareEnum<model::Origin>("OriginType");
  CompareEnum<model::KeyManager>("KeyManagerType");
  CompareEnum<model::RotationType>("RotationType");
  CompareEnum<model::EncryptionAlgorithmSpec>("EncryptionAlgorithmSpec");
  CompareEnum<model::DataKeySpec>("DataKeySpec");
  CompareEnum<model::GrantOperation>("GrantOperation");
}

}  // namespace
}  // namespace keyturn::api
