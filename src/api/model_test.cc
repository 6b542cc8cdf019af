// Do the tables say what the published model says? tests/data/kms-model.json holds its names, types
// and constraints. What the service enforces below the model is listed here.
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

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

template <typename M>
void CompareMember(std::string_view operation, const M& member, json::Value shape) {
  SCOPED_TRACE(std::string(operation) + "." + std::string(member.name));
  const auto type = shape.Find("type")->AsString();
  const Constraint& constraint = member.constraint;
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

template <typename T>
void CompareStruct(std::string_view operation, std::optional<json::Value> shape_ref) {
  SCOPED_TRACE(std::string(operation));
  const bool modelled = shape_ref && !shape_ref->is_null();
  std::size_t count = 0;
  std::apply([&](const auto&... members) { count = sizeof...(members); }, kShape<T>);
  if (!modelled) {
    EXPECT_EQ(count, 0U);
    return;
  }
  const json::Value shape = TheModel().Shape(*shape_ref->Find("shape")->AsString());
  const auto members = shape.Find("members");
  EXPECT_EQ(count, members ? members->size() : 0U);
  std::set<std::string_view> required;
  if (const auto list = shape.Find("required")) {
    list->ForEachElement([&](std::size_t, json::Value name) {
      required.insert(*name.AsString());
      return true;
    });
  }
  const auto compare = [&](const auto& member) {
    const auto found = members->Find(member.name);
    ASSERT_TRUE(found) << member.name;
    EXPECT_EQ(member.constraint.required, required.contains(member.name)) << member.name;
    CompareMember(operation, member, TheModel().Shape(*found->Find("shape")->AsString()));
  };
  std::apply([&](const auto&... each) { (compare(each), ...); }, kShape<T>);
}

template <typename Operation>
void CompareOperation() {
  const auto modelled = TheModel().root.Find("operations")->Find(Operation::kInfo.name);
  ASSERT_TRUE(modelled) << Operation::kInfo.name;
  CompareStruct<typename Operation::Request>(Operation::kInfo.name, modelled->Find("input"));
  CompareStruct<typename Operation::Response>(Operation::kInfo.name, modelled->Find("output"));
  const auto output = modelled->Find("output");
  EXPECT_EQ(Operation::kInfo.has_output, output && !output->is_null()) << Operation::kInfo.name;
}

TEST(Model, TablesHaveTheModelsMembersAndConstraints) {
  EXPECT_EQ(TheModel().root.Find("operations")->size(), kOperationCount);
#define KEYTURN_COMPARE(name) CompareOperation<op::name>();
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
