#!/bin/sh
# Brings what is missing, and builds the library; the arguments are zig build's. Each step finds
# out by itself that it has nothing to do.
set -e
cd "$(dirname "$0")/.."
sh scripts/toolchain.sh
PATH="$PWD/node_modules/.bin:$PATH"
bun scripts/sources.ts
zig build "$@"
