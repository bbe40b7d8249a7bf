#!/usr/bin/env bash
# Builds the contents of the npm package; refuses to pack it without its native programs.
set -euo pipefail
cd "$(dirname "$0")/.."
missing=()
[ -e prebuilds/linux-x64/certwire.node ] || missing+=("bash scripts/build-native.sh")
[ -e prebuilds/win32-x64/certwire.node ] && [ -e prebuilds/win32-x64/certwire-service.exe ] || missing+=("bash scripts/build-windows.sh")
if [ ${#missing[@]} -gt 0 ]; then
  {
    echo "certwire: the package would lack a native program. Run, then pack again:"
    printf '  %s\n' "${missing[@]}"
  } >&2
  exit 1
fi
node scripts/check-bundled.mjs
rm -rf dist
npx --no-install tsc -p tsconfig.json
npm run --silent build:dist
