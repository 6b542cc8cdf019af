// Vector files of tests/data/vectors: blocks of "name value" or "name = value" lines, divided by
// empty lines; # starts a comment line. For tests only: anything unexpected aborts.
#pragma once

#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "base/hex.h"

namespace keyturn::crypto {

using VectorBlock = std::multimap<std::string, std::string>;

inline std::vector<VectorBlock> ReadVectors(const std::string& path) {
  std::ifstream in(path);
  std::vector<VectorBlock> blocks(1);
  for (std::string line; std::getline(in, line);) {
    if (line.empty() && !blocks.back().empty()) {
      blocks.emplace_back();
    }
    if (line.empty() || line[0] == '#') {
      continue;
    }
    const std::string name = line.substr(0, line.find(' '));
    std::string value = line.size() > name.size() ? line.substr(name.size() + 1) : "";
    if (value.starts_with("=")) {
      value = value.size() > 2 ? value.substr(2) : "";
    }
    blocks.back().emplace(name, value);
  }
  if (blocks.back().empty()) {
    blocks.pop_back();
  }
  return blocks;
}

inline std::string Text(const VectorBlock& block, const std::string& name) {
  const auto found = block.find(name);
  KT_CHECK(found != block.end());
  return found->second;
}

inline Bytes Unhex(const std::string& text) {
  auto bytes = HexDecode(text);
  KT_CHECK(bytes.has_value());
  return *std::move(bytes);
}

inline Bytes Hex(const VectorBlock& block, const std::string& name) {
  return Unhex(Text(block, name));
}

}  // namespace keyturn::crypto
