// Organizations (JSON 1.1): the accounts of an organisation. EC2 (query protocol, XML): the regions
// of an account.
// Source: Organizations API Reference, ListAccounts; EC2 API Reference, DescribeRegions.
#include <algorithm>
#include <pugixml.hpp>
#include <set>
#include <thread>

#include "client/kms_client.h"
#include "client/site.h"
#include "client/sources.h"
#include "json/json.h"
#include "model/ids.h"

namespace keyturn::client {
namespace {

constexpr int kAttemptsMax = 8;
constexpr std::chrono::milliseconds kPauseFirst{200};
constexpr std::size_t kAccountsMax = 200'000;  // AWS's quota is below 100,000
constexpr std::size_t kRegionsMax = 1000;

bool IsThrottled(const CallError& error) {
  return error.code == "TooManyRequestsException" || error.code == "ThrottlingException" ||
         error.code == "Throttling";
}

// FetchPage asks again while the service is busy or does not answer.
Result<std::string> FetchPage(http::Client& http, const ServiceSite& site,
                              const sigv4::Credentials& caller, const Clock& clock,
                              const std::string& body) {
  for (int attempt = 1;; ++attempt) {
    KT_ASSIGN(auto request,
              SiteRequest(site, "organizations", &caller,
                          {{"Content-Type", "application/x-amz-json-1.1"},
                           {"X-Amz-Target", "AWSOrganizationsV20161128.ListAccounts"}},
                          body, clock.Now()));
    const std::string url = request.url;
    auto response = Fetch(http, std::move(request));
    if (response && response->status == 200) return std::move(response->body);
    const CallError error = response ? ParseCallError(*response) : CallError{};
    const bool again = MayPass(response) || IsThrottled(error);
    if (again && attempt < kAttemptsMax) {
      std::this_thread::sleep_for(kPauseFirst * (1 << attempt));
      continue;
    }
    if (!response) {
      return Fail(ErrorCode::kUsage,
                  "no answer from Organizations at " + url + ": " + response.error().message);
    }
    const std::string advice =
        error.IsDenied() ? "; call with credentials of the management account or of a delegated "
                           "administrator that may organizations:ListAccounts, or name --accounts"
                         : "";
    return Fail(error.IsDenied() ? ErrorCode::kAccessDeniedException : ErrorCode::kUsage,
                "Organizations does not list the accounts: " + error.code +
                    (error.message.empty() ? "" : ": " + error.message) + advice);
  }
}

// ParsePage appends the accounts of a page and returns the token of the next.
Result<std::string> ParsePage(std::string_view body, std::vector<OrganizationAccount>& accounts) {
  const auto wrong = [] {
    return Fail(ErrorCode::kUsage, "Organizations' answer to ListAccounts cannot be read");
  };
  json::Parser parser;
  const auto root = parser.Parse(body);
  const auto list = root ? root->Find("Accounts") : std::nullopt;
  if (!list || list->type() != json::Type::kArray) return wrong();
  bool good = true;
  list->ForEachElement([&](std::size_t, json::Value element) {
    const auto text = [&element](std::string_view name) {
      const auto member = element.Find(name);
      return std::string(member ? member->AsString().value_or(std::string_view())
                                : std::string_view());
    };
    OrganizationAccount account{text("Id"), text("Name"), text("State")};
    // State took the place of Status in 2025.
    if (account.state.empty()) account.state = text("Status");
    good = model::AccountId::Parse(account.id).has_value() && !account.state.empty();
    accounts.push_back(std::move(account));
    return good;
  });
  if (!good) return wrong();
  const auto next = root->Find("NextToken");
  return std::string(next ? next->AsString().value_or(std::string_view()) : std::string_view());
}

}  // namespace

bool MayPass(const Result<http::ClientResponse>& response) {
  if (!response) return response.error().code != ErrorCode::kUsage;
  if (response->status == 429 || response->status >= 500) return true;
  // The query protocol throttles with 400 or 503.
  return response->status == 400 && response->body.find("<Code>Throttling") != std::string::npos;
}

Result<std::vector<OrganizationAccount>> ListAccounts(http::Client& http, const ServiceSite& site,
                                                      const sigv4::Credentials& caller,
                                                      const Clock& clock) {
  std::vector<OrganizationAccount> accounts;
  std::set<std::string> tokens;
  std::string body = R"({"MaxResults":20})";
  for (;;) {
    KT_ASSIGN(const std::string page, FetchPage(http, site, caller, clock, body));
    KT_ASSIGN(const std::string token, ParsePage(page, accounts));
    if (token.empty()) break;
    if (!tokens.insert(token).second || accounts.size() > kAccountsMax) {
      return Fail(ErrorCode::kUsage, "Organizations' list of accounts does not end");
    }
    body.clear();
    json::Writer w(body);
    w.BeginObject().Key("MaxResults").Int(20).Key("NextToken").String(token).EndObject();
  }
  std::sort(accounts.begin(), accounts.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
  accounts.erase(std::unique(accounts.begin(), accounts.end(),
                             [](const auto& a, const auto& b) { return a.id == b.id; }),
                 accounts.end());
  return accounts;
}

Result<http::ClientRequest> DescribeRegionsRequest(const ServiceSite& ec2,
                                                   const sigv4::Credentials& caller,
                                                   TimePoint now) {
  return SiteRequest(ec2, "ec2", &caller, {{"Content-Type", "application/x-www-form-urlencoded"}},
                     "Action=DescribeRegions&AllRegions=true&Version=2016-11-15", now);
}

Result<std::vector<RegionState>> ParseDescribeRegions(
    const Result<http::ClientResponse>& response) {
  if (!response) {
    return Fail(response.error().code, "EC2 does not answer: " + response.error().message);
  }
  pugi::xml_document document;
  const auto parsed = document.load_buffer(response->body.data(), response->body.size());
  if (response->status != 200) {
    const pugi::xml_node error = document.child("Response").child("Errors").child("Error");
    const std::string code = error.child_value("Code");
    return Fail(
        MayPass(response) ? ErrorCode::kNetwork : ErrorCode::kAccessDeniedException,
        "DescribeRegions: " + (code.empty() ? "HTTP " + std::to_string(response->status) : code));
  }
  std::vector<RegionState> regions;
  const pugi::xml_node list = document.child("DescribeRegionsResponse").child("regionInfo");
  for (const pugi::xml_node item : list.children("item")) {
    const std::string name = item.child_value("regionName");
    if (!model::Region::IsValid(name) || regions.size() == kRegionsMax) {
      regions.clear();
      break;
    }
    regions.push_back({name, std::string_view(item.child_value("optInStatus")) != "not-opted-in"});
  }
  if (!parsed || regions.empty()) {
    return Fail(ErrorCode::kUsage, "DescribeRegions: the answer cannot be read");
  }
  return regions;
}

}  // namespace keyturn::client
