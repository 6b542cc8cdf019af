// ReadLimits: the quotas of `serve --limits`: "off", "aws", or a YAML or JSON file with numbers of
// one's own (docs/limits.md). kUsage names the file and the member that is wrong.
#pragma once

#include <string>

#include "base/error.h"
#include "service/limits.h"

namespace keyturn::cli {

Result<service::Quotas> ReadLimits(const std::string& off_aws_or_file);
// ParseLimits: the file's text; name is for messages.
Result<service::Quotas> ParseLimits(const std::string& name, std::string_view yaml);

}  // namespace keyturn::cli
