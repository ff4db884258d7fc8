#!/bin/sh
# Installs bun, deno and zig, at the versions in package-lock.json, unless they are there already.
# npm writes node_modules/.package-lock.json last, so it is older than a lock that has changed
# since.
set -e
cd "$(dirname "$0")/.."
[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci
