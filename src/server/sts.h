// Sts: AWS STS on the same listener: the Query protocol (form in, XML out), version 2011-06-15.
//
// Served: GetCallerIdentity, AssumeRole, AssumeRoleWithWebIdentity (unsigned), GetSessionToken;
// others are InvalidAction. Every call is in the trail with event source sts.amazonaws.com; no
// secret and no token is.
// Source: AWS STS API Reference; Query protocol errors as botocore reads them.
#pragma once

#include "server/pipeline.h"

namespace keyturn::server {

// IsStsRequest: a form without X-Amz-Target.
bool IsStsRequest(const http::RequestView& view);

// AppendStsError writes the XML of an error and returns the HTTP status.
int AppendStsError(const Error& error, const UuidText& request_id, std::string& out);

}  // namespace keyturn::server
