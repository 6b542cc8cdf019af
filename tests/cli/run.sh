#!/usr/bin/env bash
# Replays the transcripts beside this file against a keyturn binary.
#
#   tests/cli/run.sh PATH/TO/keyturn [transcript...]
#
# A transcript is what a person would see: a line `$ command` is run by bash in an empty directory
# with an empty environment; `> ` lines are its standard output, `! ` lines its standard error, and
# `? N` its exit status. Lines that begin with `#` and empty lines are comments. UPDATE_GOLDEN=1
# rewrites the transcripts with what really happened.
set -u
here=$(cd "$(dirname "$0")" && pwd)
keyturn=$(realpath "${1:?usage: run.sh PATH/TO/keyturn [transcript...]}")
shift
[ $# -gt 0 ] || set -- "$here"/*.transcript

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/bin"
ln -s "$keyturn" "$scratch/bin/keyturn"

replay() {  # transcript -> what really happened, in the same form
  local line
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in
      '$ '*)
        printf '%s\n' "$line"
        (cd "$scratch/work" && env -i PATH="$scratch/bin:/usr/bin:/bin" HOME="$scratch/work" \
          LANG=C.UTF-8 COLUMNS=100 ASAN_OPTIONS="${ASAN_OPTIONS-}" \
          bash -c "${line#'$ '}" < /dev/null > "$scratch/out" 2> "$scratch/err")
        local status=$?
        sed 's/^/> /' "$scratch/out"
        sed 's/^/! /' "$scratch/err"
        printf '? %d\n' "$status"
        ;;
      '> '* | '! '* | '? '* | '>' | '!') ;;
      *) printf '%s\n' "$line" ;;
    esac
  done < "$1"
}

failed=0
for transcript in "$@"; do
  rm -rf "$scratch/work"
  mkdir "$scratch/work"
  replay "$transcript" > "$scratch/actual"
  if [ -n "${UPDATE_GOLDEN-}" ]; then
    cp "$scratch/actual" "$transcript"
  elif ! diff -u --label "$transcript" --label "what happened" "$transcript" "$scratch/actual"; then
    failed=1
  fi
done
[ "$failed" = 0 ] && echo "$# transcripts agree"
exit "$failed"
