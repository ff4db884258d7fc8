#!/bin/sh
# Installs what is missing and builds the library; arguments are passed to zig build. Each step does
# nothing if there is nothing to do.
set -e
cd "$(dirname "$0")/.."
sh scripts/toolchain.sh
PATH="$PWD/node_modules/.bin:$PATH"
bun scripts/sources.ts
zig build "$@"
