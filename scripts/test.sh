#!/bin/sh
# npm test: sets up what is missing, then every check, each stage with its name and its time; the tests come last, and the names
# of those that failed are the end of the output. `test.sh long` adds the long forms.
set -eu
cd "$(dirname "$0")/.."
. scripts/setup.sh
. scripts/test-tools.sh

case ${1-} in
  '' | long) ;;
  *) die "test.sh takes nothing, or the word long; not \"$1\"." ;;
esac

stage() {
  name=$1
  shift
  printf '== %s\n' "$name"
  begun=$(date +%s)
  "$@" || { printf '== %s: FAILED after %s s\n' "$name" "$(($(date +%s) - begun))"; exit 1; }
  printf '== %s: %s s\n' "$name" "$(($(date +%s) - begun))"
}

set_up() {
  check_node
  install_nats_server
  install_test_tools
  check_test_rights
  install_npm_packages
}

build() { npx --no-install tsc -p tsconfig.json && build_program; }

# From the sources, so that what an earlier build left in dist is not run.
test_files() {
  skipped=tests/long/
  [ "${1-}" != long ] || skipped=no-such-folder
  find tests -name '*.test.ts' | grep -v "^$skipped" | LC_ALL=C sort | sed 's#^#dist/#; s#\.ts$#.js#'
}

stage 'set-up' set_up
stage 'lint' npm run -s lint
stage 'format' npm run -s format:check
stage 'import rules' npm run -s arch
stage 'types and build' build

files=$(test_files "${1-}")
[ -n "$files" ] || die 'no tests were found under tests/.'
# The time-out is that of a file with all its tests: the longest long one kills for twenty minutes.
[ "${1-}" = long ] && timeout_ms=2700000 || timeout_ms=300000
printf '== tests\n'
# shellcheck disable=SC2086 # a list of files without spaces
exec node --test --test-concurrency=2 --test-reporter=./scripts/test-reporter.mjs --test-timeout="${TEST_TIMEOUT_MS:-$timeout_ms}" $files
