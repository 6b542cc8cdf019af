// Worker: the other process, in which a PKCS#11 module runs.
#pragma once

#include <string>

namespace keyturn::hsm {

// The socket to the server has this number.
inline constexpr int kWorkerSocket = 3;

// RunWorker answers requests one after the other until the server closes the socket or ends; then
// it returns the exit code. It ends with its parent, whatever the module is doing.
int RunWorker(const std::string& module, const std::string& token);

}  // namespace keyturn::hsm
