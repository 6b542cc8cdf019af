// WrongOrigin: what AWS answers when an operation is not for keys of this origin.
#pragma once

#include <fmt/format.h>

#include "base/error.h"
#include "keys/key.h"

namespace keyturn::keys {

inline tl::unexpected<Error> WrongOrigin(const Key& key) {
  return Fail(ErrorCode::kUnsupportedOperationException,
              fmt::format("{} origin is {} which is not valid for this operation.", key.arn(),
                          model::ToWire(key.origin)));
}

}  // namespace keyturn::keys
