#!/usr/bin/env bash
# Runs the unit, contract and command-line suites on each supported Node line except the installed one, or on
# the given ones; the binaries come from npm.
set -euo pipefail
cd "$(dirname "$0")/.."
versions=("$@")
if [ ${#versions[@]} -eq 0 ]; then
  for version in 20 22 24 26; do
    [[ "$(node --version)" == v$version.* ]] || versions+=("$version")
  done
fi
# Node 22 and later start the commands under test faster with it; earlier ones ignore it.
export NODE_COMPILE_CACHE=$PWD/build/compile-cache
for version in "${versions[@]}"; do
  node_binary=$(bash scripts/fetch-node.sh "$version")
  printf 'Node %s:\n' "$("$node_binary" --version)"
  "$node_binary" scripts/run-tests.mjs --test-concurrency=1 --together=6 build/js/test/unit build/js/test/contract
  "$node_binary" scripts/run-tests.mjs --test-concurrency=1 build/js/test/cli
done
