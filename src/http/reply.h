// Reply: the bytes of a reply, put together from a handler's head and body.
//
// Pure functions. Source: RFC 9112 sections 6.3 and 9.3.
#pragma once

#include <string>
#include <string_view>

namespace keyturn::http {

struct ReplyRules {
  bool keep_alive = true;
  bool http_1_0 = false;  // keep-alive must then be said
  bool head_only = false;
};

// AppendReply appends head with the Connection header it needs, then the body unless head_only.
// head must end with an empty line.
void AppendReply(std::string_view head, std::string_view body, ReplyRules rules, std::string& out);

// AppendRefusal appends a whole reply of the server's own, which closes the connection: reason as
// plain text.
void AppendRefusal(int status, std::string_view reason, std::string& out);

}  // namespace keyturn::http
