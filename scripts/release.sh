#!/usr/bin/env bash
# Makes the files of a release in build/release; docs/how-to/release.md describes it.
#   scripts/release.sh [--node 24|22] [--signatures DIR]     default 24; Node 22 also runs in Wine 8
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/packages.sh
mkdir -p var build
check_node
install_packages "${packages_release[@]}"
install_npm
say "building the binaries"
# From nothing: a build of parts may hold what the sources no longer have.
windows=$PWD/build/release-windows
rm -rf "$windows"
bash scripts/build-native.sh > build/native-build.log 2>&1 || { tail -n 30 build/native-build.log >&2; exit 1; }
CERTWIRE_WINDOWS_BUILD=$windows bash scripts/build-windows.sh certwire_exit certwire-service certwire_node certwire_msi \
  > build/windows-build.log 2>&1 || { tail -n 30 build/windows-build.log >&2; exit 1; }
npx --no-install tsc -p tsconfig.json
exec node build/js/scripts/release/main.js --windows-build build/release-windows "$@"
