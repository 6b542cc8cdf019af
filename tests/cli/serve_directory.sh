#!/usr/bin/env bash
# Is a data directory that is absent, in use, damaged or unreadable refused clearly and left alone?
set -euo pipefail
keyturn=$1
dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$dir"' EXIT
fail() { echo "FAILED: $*" >&2; cat "$dir"/*.err >&2 || true; exit 1; }
# refused NAME PATTERN ARGUMENTS...: the command fails with status 1 and says PATTERN.
refused() {
  local name=$1 pattern=$2 status=0
  shift 2
  timeout 20 "$keyturn" "$@" >"$dir/out" 2>"$dir/x.err" || status=$?
  [ "$status" = 1 ] || fail "$name: exit status $status"
  grep -q -- "$pattern" "$dir/x.err" || fail "$name: does not say '$pattern'"
  echo "ok: $name"
}
start() {
  "$keyturn" serve --data-dir "$dir/data" --listen 127.0.0.1:0 "$@" >"$dir/ready" 2>"$dir/s.err" &
  server=$!
  for _ in $(seq 200); do grep -q '^ready ' "$dir/ready" && return; sleep 0.05; done
  fail "the server did not start"
}

refused "serve before init" "keyturn init" serve --data-dir "$dir/data" --listen 127.0.0.1:0
for name in '' 'a b'; do
  refused "an administrator called '$name'" "1 to 64 characters" init --data-dir "$dir/data" \
    --admin-user "$name"
  [ ! -e "$dir/data" ] || fail "init wrote something for an administrator called '$name'"
done
"$keyturn" init --data-dir "$dir/data" --account 111122223333 >/dev/null
[ "$(stat -c %a "$dir/data/credentials")" = 600 ] || fail "credentials are readable by others"
[ "$(stat -c %a "$dir/data/root.key")" = 600 ] || fail "the root key is readable by others"
refused "init twice" "initialised already" init --data-dir "$dir/data"
refused "not loopback without TLS" "TLS" serve --data-dir "$dir/data" --listen 0.0.0.0:0
start
refused "a second server" "in use by another" serve --data-dir "$dir/data" --listen 127.0.0.1:0
url=$(sed -n 's/^ready //p' "$dir/ready")
"$keyturn" trail verify --data-dir "$dir/data" >"$dir/out" || fail "the running server's trail"
before=$(sed -n 's/^intact: \([0-9]*\) records.*/\1/p' "$dir/out")
curl -sS -X POST "$url/" >/dev/null
"$keyturn" trail verify --data-dir "$dir/data" | grep -q "^intact: $((before + 1)) records" ||
  fail "the trail of a running server is not verified up to its last record"
echo "ok: the trail beside a running server"
kill -TERM "$server"
wait "$server" || fail "SIGTERM does not end with status 0"
server=
"$keyturn" trail verify --data-dir "$dir/data" | grep -q '^intact' || fail "the trail is not intact"

chmod 644 "$dir/data/root.key"
refused "a root key that others can read" "chmod 600" serve --data-dir "$dir/data"
chmod 600 "$dir/data/root.key"

cp "$dir/data/keyturn.db" "$dir/good.db"
printf 'this is no database, whatever its name says' >"$dir/data/keyturn.db"
sum=$(sha256sum <"$dir/data/keyturn.db")
refused "a database that is none" "keyturn.db" serve --data-dir "$dir/data" --listen 127.0.0.1:0
[ "$sum" = "$(sha256sum <"$dir/data/keyturn.db")" ] || fail "the damaged database was changed"
cp "$dir/good.db" "$dir/data/keyturn.db"

printf 'wrong\n' >"$dir/passphrase"
refused "a passphrase where none is wanted" "passphrase" serve --data-dir "$dir/data" \
  --passphrase-file "$dir/passphrase"
printf 'correct horse\n' >"$dir/right"
"$keyturn" init --data-dir "$dir/sealed" --passphrase-file "$dir/right" >/dev/null
refused "a sealed root key without passphrase" "passphrase-file" serve --data-dir "$dir/sealed"
refused "a wrong passphrase" "does not open" serve --data-dir "$dir/sealed" \
  --passphrase-file "$dir/passphrase"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
  -addext subjectAltName=IP:127.0.0.1 -keyout "$dir/key.pem" -out "$dir/cert.pem" 2>/dev/null
start --tls-cert "$dir/cert.pem" --tls-key "$dir/key.pem"
url=$(sed -n 's/^ready //p' "$dir/ready")
[ "${url%%:*}" = https ] || fail "ready does not say https"
[ "$(curl -sS --cacert "$dir/cert.pem" "$url/healthz")" = ok ] || fail "TLS does not answer"
kill -TERM "$server"
wait "$server" || fail "SIGTERM does not end with status 0"
server=
echo "ok: TLS"
