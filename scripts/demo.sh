#!/bin/sh
# npm run demo: sets up what is missing, then runs `skerry demo` with the same arguments.
set -eu
cd "$(dirname "$0")/.."
. scripts/setup.sh

check_node
install_nats_server
install_npm_packages
build_program
exec node dist/bundle/skerry.js demo "$@"
