#!/usr/bin/env bash
# Creates the Wine prefix of the tests (about 10 s) unless it is there, starts its server and prints its path.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
export WINEPREFIX=${WINEPREFIX:-$root/build/wine-prefix}
export WINEARCH=win64 WINEDEBUG=${WINEDEBUG:--all} DISPLAY=
# No installer (Mono, Gecko), no menu entries, no complaint about a missing Wayland.
export WINEDLLOVERRIDES="mscoree,mshtml,winemenubuilder.exe,winewayland.drv="
# Debian's Wine 10 aborts where it is set.
unset TMPDIR

# Debian keeps the 64-bit loader off the search path, and its wrapper needs a 32-bit one too.
wine=/usr/lib/wine/wine64
inside=()
if [ -n "${CERTWIRE_WINE_ROOT:-}" ]; then
  inside=(chroot "$CERTWIRE_WINE_ROOT")
elif [ ! -x "$wine" ]; then
  wine=$(command -v wine) || {
    echo "wine-prefix: Wine is missing; on Debian: apt-get install wine wine64" >&2
    exit 1
  }
fi
mkdir -p "$(dirname "$WINEPREFIX")"
exec 9>"$WINEPREFIX.lock"
flock 9
if [[ ! -e $WINEPREFIX/certwire-ready ]]; then
  "${inside[@]}" "$wine" wineboot -i >&2 9>&-
  # Node refuses to start on a prefix's default Windows version.
  "${inside[@]}" "$wine" winecfg /v win10 >&2 9>&-
  "${inside[@]}" wineserver -w
  touch "$WINEPREFIX/certwire-ready"
fi
# By default a server ends 3 s after the last program, with all services, and takes a program with it that starts at that
# moment. This one waits for ten minutes; where it runs already, the command fails and changes nothing. The ten minutes
# begin when a program ends: a server that never had one would never end.
if "${inside[@]}" wineserver -p600 < /dev/null > /dev/null 2>&1 9>&-; then
  "${inside[@]}" "$wine" cmd /c exit < /dev/null > /dev/null 2>&1 9>&- || {
    echo "wine-prefix: Wine cannot run a program in $WINEPREFIX; delete this directory and try again" >&2
    exit 1
  }
fi
echo "$WINEPREFIX"
