// A certificate authority made on the spot, for the tests of this room. Not part of the library.
#pragma once

#include <string>

namespace keyturn::http {

// TestCertificate: a fresh self-signed P-256 certificate for the IP address given, as PEM files in
// a directory that is removed with the object.
class TestCertificate {
 public:
  explicit TestCertificate(const std::string& ip_address = "127.0.0.1");
  ~TestCertificate();
  TestCertificate(const TestCertificate&) = delete;
  TestCertificate& operator=(const TestCertificate&) = delete;

  std::string certificate_file() const { return directory_ + "/cert.pem"; }
  std::string key_file() const { return directory_ + "/key.pem"; }
  std::string directory() const { return directory_; }

 private:
  std::string directory_;
};

}  // namespace keyturn::http
