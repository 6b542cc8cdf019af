// Files: reading and replacing whole files. Private to this room.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/pieces.h"

namespace keyturn::control {

// SystemError makes an Error from errno: kNoSpace, kReadOnly, kIo.
Error SystemError(std::string_view what, const std::string& path, int error_number);

// ReadWholeFile: kUsage when it cannot be read or is larger than bytes_max.
Result<std::string> ReadWholeFile(const std::string& path, std::size_t bytes_max);

// WriteAll writes text to a descriptor; errno when it returns false.
bool WriteAll(int fd, std::string_view text);

// MayReplace: what to do about a file that is there already.
enum class MayReplace { kAny, kEmptyOnly };
// WriteWholeFile writes beside the file, flushes to disk, and puts it in place in one step: the
// file is there whole or not at all. kUsage when it is there and must not be replaced.
Status WriteWholeFile(const std::string& path, std::string_view text, MayReplace replace);
// The same of a text in pieces; also what the source fails with.
Status WriteWholeFile(const std::string& path, const TextSource& source, MayReplace replace);

}  // namespace keyturn::control
