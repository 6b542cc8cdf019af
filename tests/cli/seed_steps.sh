#!/usr/bin/env bash
# Does every line of the control's command-line steps work with the stock AWS CLI?
set -euo pipefail
keyturn=$1
dir=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; rm -rf "$dir"' EXIT
"$keyturn" serve --dev --data-dir "$dir/data" --listen 127.0.0.1:0 >"$dir/ready" 2>"$dir/log" &
server=$!
for _ in $(seq 100); do grep -q '^ready ' "$dir/ready" && break; sleep 0.05; done
eval "$("$keyturn" env --data-dir "$dir/data")"
export AWS_EC2_METADATA_DISABLED=true AWS_PAGER= HOME=$dir
# Debian's older AWS CLI does not read AWS_ENDPOINT_URL_KMS: it is told by an option.
kms() { aws --endpoint-url "$AWS_ENDPOINT_URL_KMS" kms "$@"; }
fail() { echo "FAILED: $*" >&2; exit 1; }
expect() { # expect NAME WANTED ACTUAL
  [ "$2" = "$3" ] || fail "$1: wanted '$2', got '$3'"
  echo "ok: $1"
}

key=$(kms create-key --query KeyMetadata.KeyId --output text)
expect "list-keys with its query" "$key" "$(kms list-keys --query 'Keys[*].KeyId' --output text)"
rotation() { kms get-key-rotation-status --key-id "$key" --query KeyRotationEnabled --output text; }
expect "rotation is off by default" False "$(rotation)"
kms enable-key-rotation --key-id "$key"
expect "enable-key-rotation" True "$(rotation)"
expect "describe-key" "Enabled SYMMETRIC_DEFAULT CUSTOMER" "$(kms describe-key --key-id "$key" \
  --query 'KeyMetadata.[KeyState,KeySpec,KeyManager]' --output text | tr '\t' ' ')"
kms disable-key-rotation --key-id "$key"
expect "disable-key-rotation" False "$(rotation)"
