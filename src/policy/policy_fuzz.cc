// Policy: no crash on any text; a policy that compiles still compiles, and decides the same, after
// it was printed the way GetKeyPolicy does.
#include "base/check.h"
#include "policy/policy.h"

namespace {

// Everything has a value, so that operators and variables are reached.
class Naming final : public keyturn::policy::Context {
 public:
  void Find(const keyturn::policy::ConditionKey& key, keyturn::policy::Values& out) const override {
    out.push_back(key.qualifier.empty() ? "2026-11-24T12:00:00Z" : key.qualifier);
    if (key.key == keyturn::policy::Key::kAwsTagKeys) out.emplace_back("203.0.113.7");
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keyturn;
  using namespace keyturn::policy;
  const std::string_view text = AsText({data, size});
  const auto account = *model::AccountId::Parse("111122223333");
  const Principal principals[] = {
      {account, "arn:aws:iam::111122223333:user/anna"},
      {account, "arn:aws:iam::111122223333:root", true},
      {*model::AccountId::Parse("444455556666"), "arn:aws:sts::444455556666:assumed-role/R/s"}};
  const Naming naming;
  for (const Kind kind : {Kind::kKeyPolicy, Kind::kIdentityPolicy, Kind::kTrustPolicy}) {
    const auto policy = Compile(text, kind);
    if (!policy) {
      KT_CHECK(!policy.error().message.empty());
      continue;
    }
    const auto printed = Reserialize(text);
    KT_CHECK(printed && Reserialize(*printed) == *printed);
    const auto again = kind == Kind::kKeyPolicy ? CompileStored(*printed) : Compile(*printed, kind);
    // Printing adds white space, which may lead over the limit on length; nothing else may change.
    KT_CHECK(again || printed->size() > 131'072);
    for (const Principal& principal : principals) {
      for (const char* action : {"kms:Encrypt", "kms:PutKeyPolicy"}) {
        const Request request{
            action, "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            &principal, &naming};
        KT_CHECK(Explain(**policy, request).size() > 0);
        KT_CHECK(!again || Evaluate(**policy, request) == Evaluate(**again, request));
        const KeySide side{(*policy).get(), &account, {}};
        const Decision decision = Authorize(request, &side, {{&*policy, 1}});
        KT_CHECK(decision.allowed == decision.reason.empty());
      }
    }
  }
  return 0;
}
