// Patterns: the model's regular expressions as small matchers. Each constant carries the text that
// AWS prints in a ValidationException.
// Source: KMS API model 2014-11-01.
#pragma once

#include "api/shape.h"

namespace keyturn::api::pattern {

extern const Pattern kAccountId;
extern const Pattern kAliasName;  // and grant names
extern const Pattern kBackingKeyId;
extern const Pattern kBackingKeyIdResponse;
extern const Pattern kCloudHsmClusterId;
extern const Pattern kKeyMaterialDescription;
extern const Pattern kMarker;
extern const Pattern kPolicy;
extern const Pattern kPolicyName;
extern const Pattern kPrincipalId;
extern const Pattern kRegion;
extern const Pattern kXksAccessKeyId;
extern const Pattern kXksSecret;
extern const Pattern kXksKeyId;
extern const Pattern kXksUriEndpoint;
extern const Pattern kXksUriPath;
extern const Pattern kXksVpcService;

}  // namespace keyturn::api::pattern
