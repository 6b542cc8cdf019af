// Strict YAML: what is refused, and with which line.
#include "control/yaml_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyturn::control {
namespace {

using testing::HasSubstr;

std::string YamlErrorOf(std::string_view text, const YamlLimits& limits = {}) {
  const auto root = YamlReader("f.yaml").Parse(text, limits);
  return root ? std::string() : root.error().message;
}

TEST(YamlReaderTest, MakesATreeWithLines) {
  const auto root = YamlReader("f.yaml").Parse("a: 1\nb:\n  - x\n  - {c: ~}\n");
  ASSERT_TRUE(root.has_value());
  const YamlNode* const list = root->Find("b");
  ASSERT_NE(list, nullptr);
  ASSERT_EQ(list->items.size(), 2U);
  EXPECT_EQ(list->items[0].text, "x");
  EXPECT_EQ(list->items[1].line, 4);
  EXPECT_TRUE(list->items[1].Find("c")->IsNull());
  EXPECT_EQ(root->Find("d"), nullptr);
}

TEST(YamlReaderTest, RefusesWhatIsTooLargeTooDeepOrEndless) {
  EXPECT_EQ(YamlErrorOf("a: 12345", {.bytes_max = 4}), "f.yaml:1: the file is too large");
  EXPECT_EQ(YamlErrorOf("- a\n- b\n- c\n", {.nodes_max = 3}),
            "f.yaml:3: the file has too many entries");
  EXPECT_THAT(YamlErrorOf(std::string(40, '[') + std::string(40, ']')), HasSubstr("too deep"));
  EXPECT_THAT(YamlErrorOf("&a [*a]"), HasSubstr("f.yaml:1: "));
  // Each alias counts: a few bytes must not become a billion entries.
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int j = 1; j < 10; ++j) bomb += ", " + before;
    bomb += "]\n";
  }
  EXPECT_THAT(YamlErrorOf(bomb), HasSubstr("too many entries"));
}

TEST(YamlReaderTest, RefusesBrokenTextAndDoubleFields) {
  EXPECT_THAT(YamlErrorOf("a: [1\nb: 2\n"), HasSubstr("f.yaml:"));
  EXPECT_EQ(YamlErrorOf("a: 1\nb: 2\na: 3\n"), "f.yaml:3: field 'a' appears twice");
  EXPECT_EQ(YamlErrorOf("? [a]\n: 1\n"), "f.yaml:1: a field's name must be a text");
}

TEST(YamlReaderTest, ReadsNumbersAndBooleansStrictly) {
  const YamlReader reader("f.yaml");
  const auto root = reader.Parse("n: 90\nbad: 90d\nyes: yes\non: true\n");
  ASSERT_TRUE(root.has_value());
  std::optional<int> number;
  EXPECT_TRUE(reader.OptionalInt(*root, "n", 1, 100, number));
  EXPECT_EQ(number, 90);
  EXPECT_EQ(reader.OptionalInt(*root, "n", 1, 89, number).error().message,
            "f.yaml:1: 'n' must be a whole number of 1 to 89");
  EXPECT_FALSE(reader.OptionalInt(*root, "bad", 1, 100, number));
  bool bit = false;
  EXPECT_EQ(reader.OptionalBool(*root, "yes", bit).error().message,
            "f.yaml:3: 'yes' must be true or false");
  EXPECT_TRUE(reader.OptionalBool(*root, "on", bit));
  EXPECT_TRUE(bit);
  EXPECT_TRUE(reader.OptionalBool(*root, "none", bit));
}

}  // namespace
}  // namespace keyturn::control
