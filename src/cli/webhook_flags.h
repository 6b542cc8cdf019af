// ReadWebhook: what --event-webhook of serve and --webhook of watch name, checked.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "http/webhook.h"

namespace keyturn::cli {

// ReadWebhook: option is what errors name, as "--webhook"; secret_file holds one line of at least
// 16 characters. kUsage; kNotFound and kIo for the file.
Result<http::WebhookTarget> ReadWebhook(std::string_view option, const std::string& url,
                                        const std::string& secret_file);

}  // namespace keyturn::cli
