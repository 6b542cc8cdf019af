#include "http/reply.h"

#include <fmt/format.h>

#include <iterator>

#include "base/check.h"

namespace keyturn::http {
namespace {

std::string_view PhraseOf(int status) {
  switch (status) {
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 417:
      return "Expectation Failed";
    case 431:
      return "Request Header Fields Too Large";
    case 501:
      return "Not Implemented";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Bad Request";
  }
}

}  // namespace

void AppendReply(std::string_view head, std::string_view body, ReplyRules rules, std::string& out) {
  KT_CHECK(head.ends_with("\r\n\r\n"));
  if (rules.keep_alive && !rules.http_1_0) {
    out.append(head);
  } else {
    out.append(head.substr(0, head.size() - 2));
    out.append(rules.keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n");
  }
  if (!rules.head_only) {
    out.append(body);
  }
}

void AppendRefusal(int status, std::string_view reason, std::string& out) {
  fmt::format_to(std::back_inserter(out),
                 "HTTP/1.1 {} {}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n"
                 "Connection: close\r\n\r\n{}\n",
                 status, PhraseOf(status), reason.size() + 1, reason);
}

}  // namespace keyturn::http
