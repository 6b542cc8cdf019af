// Token: one PKCS#11 token behind a module, as the worker uses it. Runs in the worker's process
// only: a module is foreign code.
//
// Thread-safety: none. Secrets are not kept. Source: PKCS #11 Cryptographic Token Interface 2.40;
// AES-GCM with CK_GCM_PARAMS as in its errata (with ulIvBits), which modules implement.
#pragma once

#include <memory>
#include <string>

#include "hsm/protocol.h"

namespace keyturn::hsm {

class Token {
 public:
  // module: a path; label: the token's. Nothing is loaded before the first request.
  Token(std::string module, std::string label);
  ~Token();
  Token(const Token&) = delete;
  Token& operator=(const Token&) = delete;

  Reply Run(const Request& request);

 private:
  struct Loaded;

  Reply Load();
  Reply Login(const Request& request);
  Reply MakeKey(const Request& request);
  Reply FindKey(const Request& request);
  Reply DestroyKey(const Request& request);
  Reply Crypt(const Request& request);
  Reply Random(const Request& request);

  std::string module_;
  std::string label_;
  std::unique_ptr<Loaded> loaded_;
};

}  // namespace keyturn::hsm
