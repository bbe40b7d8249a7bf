#!/usr/bin/env bash
# Runs the unit, contract and command-line suites on a line of Node.js, such as 22, whose binary comes from npm.
set -euo pipefail
cd "$(dirname "$0")/.."
# Node 22 and later start the commands under test faster with it; earlier ones ignore it.
export NODE_COMPILE_CACHE=$PWD/build/compile-cache
node_binary=$(bash scripts/fetch-node.sh "$1")
printf 'Node %s:\n' "$("$node_binary" --version)"
"$node_binary" scripts/run-tests.mjs --test-concurrency=1 --together=6 build/js/test/unit build/js/test/contract
"$node_binary" scripts/run-tests.mjs --test-concurrency=1 build/js/test/cli
