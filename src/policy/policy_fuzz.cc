// Policy: no crash on any text; a policy that compiles still compiles, and decides the same, after
// it was printed the way GetKeyPolicy does.
#include "base/check.h"
#include "policy/policy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keyturn;
  using namespace keyturn::policy;
  const std::string_view text = AsText({data, size});
  const auto account = *model::AccountId::Parse("111122223333");
  const Principal principals[] = {
      {account, "arn:aws:iam::111122223333:user/anna"},
      {account, "arn:aws:iam::111122223333:root", true},
      {*model::AccountId::Parse("444455556666"), "arn:aws:sts::444455556666:assumed-role/R/s"}};
  for (const Kind kind : {Kind::kKeyPolicy, Kind::kIdentityPolicy}) {
    const auto policy = Compile(text, kind);
    if (!policy) {
      KT_CHECK(!policy.error().message.empty());
      continue;
    }
    const auto printed = Reserialize(text);
    KT_CHECK(printed && Reserialize(*printed) == *printed);
    const auto again = Compile(*printed, kind);
    // Printing adds white space, which may lead over the limit on length; nothing else may change.
    KT_CHECK(again || again.error().code == ErrorCode::kLimitExceededException ||
             printed->size() > 32'768);
    for (const Principal& principal : principals) {
      for (const char* action : {"kms:Encrypt", "kms:PutKeyPolicy"}) {
        const Request request{
            action, "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            &principal};
        KT_CHECK(!again || Evaluate(**policy, request) == Evaluate(**again, request));
        const KeySide side{(*policy).get(), &account, {}};
        const Decision decision = Authorize(request, &side, {{&*policy, 1}});
        KT_CHECK(decision.allowed == decision.reason.empty());
      }
    }
  }
  return 0;
}
