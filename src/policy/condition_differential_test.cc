// Random conditions against a second reading of the rules: this one works on lists of words and
// asks of every pair of values at once, instead of walking a compiled form.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>

#include "policy/policy.h"

namespace keyturn::policy {
namespace {

using Random = std::mt19937;
using Words = std::vector<std::string>;
using Asked = std::map<std::string, Words>;  // lower-case key

class AskedContext final : public Context {
 public:
  explicit AskedContext(const Asked& asked) : asked_(asked) {}
  void Find(const ConditionKey& key, Values& out) const override {
    if (const auto found = asked_.find(key.name); found != asked_.end()) {
      out.insert(out.end(), found->second.begin(), found->second.end());
    }
  }

 private:
  const Asked& asked_;
};

const Words kKeys = {"aws:TagKeys", "kms:KeySpec", "kms:EncryptionContext:App"};
const Words kTexts = {"a",          "A",  "ab", "b",  "a*", "?",  "",
                      "7",          "10", "??", "é?", "?é", "é*", "${aws:username}",
                      "${x:y, 'b'}"};
const Words kNumbers = {"7", "7.0", "10", "-1", "1e1"};
const Words kAskedTexts = {"a", "A", "ab", "b", "7", "10", "-1", "x", "", "é", "éé", "€b"};

std::string Pick(Random& random, const Words& words) { return words[random() % words.size()]; }

Words Some(Random& random, const Words& from, int most) {
  Words words;
  for (int i = static_cast<int>(random() % static_cast<unsigned>(most)); i >= 0; --i) {
    words.push_back(Pick(random, from));
  }
  return words;
}

// One: a condition in words.
struct One {
  std::string prefix, op, suffix, key;
  Words operands;
};

struct Operator {
  std::string name;
  bool negated;
};
const std::vector<Operator> kStringOperators = {{"StringEquals", false},
                                                {"StringNotEquals", true},
                                                {"StringEqualsIgnoreCase", false},
                                                {"StringNotEqualsIgnoreCase", true},
                                                {"StringLike", false},
                                                {"StringNotLike", true}};
const Words kNumericOperators = {"NumericEquals",      "NumericNotEquals",
                                 "NumericLessThan",    "NumericLessThanEquals",
                                 "NumericGreaterThan", "NumericGreaterThanEquals"};

One RandomOne(Random& random) {
  One one;
  one.key = Pick(random, kKeys);
  one.prefix = Pick(random, {"", "", "ForAnyValue:", "ForAllValues:"});
  if (random() % 8 == 0) {
    one.prefix.clear();
    one.op = "Null";
    one.operands = {Pick(random, {"true", "false"})};
    return one;
  }
  one.suffix = Pick(random, {"", "", "IfExists"});
  if (random() % 3 == 0) {
    one.op = Pick(random, kNumericOperators);
    one.operands = Some(random, kNumbers, 3);
  } else {
    one.op = kStringOperators[random() % kStringOperators.size()].name;
    one.operands = Some(random, kTexts, 3);
  }
  return one;
}

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// Resolve replaces the two variables that there are; nullopt when aws:username is not known.
std::optional<std::string> Resolve(const std::string& operand, const Asked& asked) {
  if (operand == "${x:y, 'b'}") return "b";
  if (operand != "${aws:username}") return operand;
  const auto name = asked.find("aws:username");
  if (name == asked.end()) return std::nullopt;
  return name->second.front();
}

// First: the bytes of the first character, as its first byte says.
std::size_t First(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

bool NaiveLike(const std::string& p, const std::string& s) {
  if (p.empty()) return s.empty();
  if (p[0] == '*' && NaiveLike(p.substr(1), s)) return true;
  if (s.empty()) return false;
  const std::size_t first = First(s);
  if (p[0] == '*') return NaiveLike(p, s.substr(first));
  if (p[0] == '?') return NaiveLike(p.substr(1), s.substr(first));
  return p.substr(0, first) == s.substr(0, first) && NaiveLike(p.substr(first), s.substr(first));
}

// Yes, No or (nullopt) unresolved, for one value and one operand, ignoring Not.
std::optional<bool> NaivePair(const One& one, const std::string& operand, const std::string& value,
                              const Asked& asked) {
  if (one.op.starts_with("Numeric")) {
    char* end = nullptr;
    const double right = std::strtod(operand.c_str(), nullptr);
    const double left = std::strtod(value.c_str(), &end);
    if (value.empty() || *end != '\0') return false;
    if (one.op == "NumericLessThan") return left < right;
    if (one.op == "NumericLessThanEquals") return left <= right;
    if (one.op == "NumericGreaterThan") return left > right;
    if (one.op == "NumericGreaterThanEquals") return left >= right;
    return !(left < right) && !(left > right);
  }
  const auto wanted = Resolve(operand, asked);
  if (!wanted) return std::nullopt;
  if (one.op.ends_with("IgnoreCase")) return Lower(*wanted) == Lower(value);
  if (one.op.ends_with("Like") && *wanted == operand) return NaiveLike(*wanted, value);
  return *wanted == value;
}

bool NaiveHolds(const One& one, const Asked& asked) {
  const auto found = asked.find(Lower(one.key));
  const Words values = found == asked.end() ? Words{} : found->second;
  if (one.op == "Null") return (one.operands[0] == "true") == values.empty();
  const bool negated = one.op.find("Not") != std::string::npos;
  if (values.empty()) {
    if (one.suffix == "IfExists" || one.prefix == "ForAllValues:") return true;
    return one.prefix.empty() && negated;
  }
  int passing = 0;
  for (const std::string& value : values) {
    bool any = false;
    bool unresolved = false;
    for (const std::string& operand : one.operands) {
      const auto pair = NaivePair(one, operand, value, asked);
      any = any || pair.value_or(false);
      unresolved = unresolved || !pair;
    }
    passing += negated ? (!any && !unresolved ? 1 : 0) : (any ? 1 : 0);
  }
  const int all = static_cast<int>(values.size());
  if (one.prefix == "ForAnyValue:") return passing > 0;
  if (one.prefix == "ForAllValues:") return passing == all;
  return negated ? passing == all : passing > 0;
}

std::string Json(const std::vector<One>& conditions) {
  std::string text = R"({"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*",)"
                     R"("Resource":"*","Condition":{)";
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    const One& one = conditions[i];
    text +=
        (i == 0 ? "\"" : ",\"") + one.prefix + one.op + one.suffix + "\":{\"" + one.key + "\":[";
    for (std::size_t j = 0; j < one.operands.size(); ++j) {
      text += (j == 0 ? "\"" : ",\"") + one.operands[j] + "\"";
    }
    text += "]}";
  }
  return text + "}}}";
}

Asked RandomAsked(Random& random) {
  Asked asked;
  for (const std::string& key : kKeys) {
    if (random() % 4 != 0) asked[Lower(key)] = Some(random, kAskedTexts, 3);
  }
  if (random() % 2 == 0) asked["aws:username"] = {Pick(random, {"a", "ab", "*"})};
  return asked;
}

TEST(ConditionDifferential, AgreesWithTheNaiveReadingOnRandomConditions) {
  Random random(20261125);
  const Principal anna{*model::AccountId::Parse("111122223333"),
                       "arn:aws:iam::111122223333:user/anna"};
  int held = 0;
  constexpr int kRounds = 80'000;
  for (int i = 0; i < kRounds; ++i) {
    std::vector<One> conditions = {RandomOne(random)};
    while (random() % 3 == 0) {
      One more = RandomOne(random);
      const bool twice = std::any_of(conditions.begin(), conditions.end(), [&](const One& one) {
        return one.prefix + one.op + one.suffix == more.prefix + more.op + more.suffix;
      });
      if (!twice) conditions.push_back(std::move(more));
    }
    const Asked asked = RandomAsked(random);
    const AskedContext context(asked);
    const std::string text = Json(conditions);
    const auto policy = Compile(text, Kind::kIdentityPolicy);
    ASSERT_TRUE(policy) << text << (policy ? "" : policy.error().message);
    const bool expected = std::all_of(conditions.begin(), conditions.end(),
                                      [&](const One& one) { return NaiveHolds(one, asked); });
    const bool holds = Evaluate(**policy, {"kms:Encrypt", "*", &anna, &context}) == Effect::kDeny;
    ASSERT_EQ(holds, expected) << text << testing::PrintToString(asked);
    held += holds ? 1 : 0;
  }
  EXPECT_GT(held, kRounds / 5);
  EXPECT_LT(held, kRounds * 4 / 5);
}

}  // namespace
}  // namespace keyturn::policy
