# Shared by the scripts of this folder: where we are, and what has to be there.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
jobs=${JOBS:-$(nproc)}

say() { printf '\n== %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# missing_packages: the Debian packages whose sign (a command or a file) is not there.
missing_packages() {
  local package sign
  while read -r package sign; do
    case "$package" in ''|'#'*) continue ;; esac
    case "$sign" in
      cmd:*) command -v "${sign#cmd:}" >/dev/null 2>&1 || printf '%s\n' "$package" ;;
      file:*) [ -e "${sign#file:}" ] || printf '%s\n' "$package" ;;
      *) die "scripts/debian-packages.txt: $package has no sign" ;;
    esac
  done < "$root/scripts/debian-packages.txt"
}

# ensure_packages installs what is missing; without root and without sudo it says what that is.
ensure_packages() {
  local missing
  missing=$(missing_packages | tr '\n' ' ')
  [ -n "$missing" ] || return 0
  say "installing: $missing"
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null && as_root=(sudo) ||
      die "these Debian packages are missing and this user cannot install them: $missing
       run as root: apt-get install $missing"
  fi
  export DEBIAN_FRONTEND=noninteractive
  "${as_root[@]}" apt-get update -qq
  # shellcheck disable=SC2086 # one word a package
  "${as_root[@]}" apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

# ensure_node: Debian 12 has Node 18, the console is built with 20 or newer. npm has that, too.
ensure_node() {
  local major
  major=$(node -p 'process.versions.node.split(".")[0]')
  [ "$major" -ge 20 ] && return 0
  local place="$root/.cache/node"
  if [ ! -x "$place/node_modules/node/bin/node" ]; then
    say "installing Node 20 below .cache (npm)"
    npm install --prefix "$place" --no-audit --no-fund --loglevel=error node@20
  fi
  export PATH="$place/node_modules/node/bin:$PATH"
}

# ensure_node_modules installs the test clients named in tests/package-lock.json.
ensure_node_modules() {
  local stamp="$root/tests/node_modules/.installed"
  [ "$stamp" -nt "$root/tests/package-lock.json" ] && return 0
  say "installing the test clients (npm)"
  (cd "$root/tests" && npm ci --no-audit --no-fund --loglevel=error)
  touch "$stamp"
}

# build PRESET [TARGET...]
build() {
  local preset=$1
  shift
  say "building ($preset)"
  cmake -S "$root" --preset "$preset" >/dev/null
  local log="$root/build/$preset/build.log"
  cmake --build "$root/build/$preset" -j "$jobs" ${1:+--target "$@"} > "$log" 2>&1 ||
    { grep -v '^\[' "$log" >&2; die "the build failed; the whole log is $log"; }
  tail -n 1 "$log"
}
