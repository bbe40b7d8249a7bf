#!/usr/bin/env bash
# Makes the Wine prefix of the tests (about 10 s) and prints its path; quick when it is there.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
export WINEPREFIX=${WINEPREFIX:-$root/build/wine-prefix}
# winemenubuilder, Mono and Gecko have no part in these tests; without them no window opens.
export WINEARCH=win64 WINEDEBUG=${WINEDEBUG:--all} WINEDLLOVERRIDES="mscoree,mshtml,winemenubuilder.exe=" DISPLAY=

if ! command -v wine64 >/dev/null && ! command -v wine >/dev/null; then
  echo "wine-prefix: Wine is missing; on Debian: apt-get install wine wine64" >&2
  exit 1
fi
mkdir -p "$(dirname "$WINEPREFIX")"
exec 9>"$WINEPREFIX.lock"
flock 9
if [[ ! -e $WINEPREFIX/certwire-ready ]]; then
  wine wineboot -i >&2
  # Node refuses to start on the Windows version that is the default of a prefix.
  wine winecfg /v win10 >&2
  wineserver -w
  touch "$WINEPREFIX/certwire-ready"
fi
echo "$WINEPREFIX"
