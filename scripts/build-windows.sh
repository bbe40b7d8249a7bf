#!/usr/bin/env bash
# Cross-compiles everything for Windows x64 with mingw-w64 into build/windows: exit module, certsrv stand-in, service
# host, custom actions of the MSI, and their tests. The addon and the service host also go into prebuilds/win32-x64, for
# the npm package.
# Installs what it needs; checks what the binaries import.
# Targets can be named; default: all that exist.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/packages.sh
out=${CERTWIRE_WINDOWS_BUILD:-$PWD/build/windows}
cmake_dir=$out/cmake
log=$out/build.log
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(certwire_exit certsrv-standin certadm-standin exit-module-test standin-test core_test collect_test journal_kill certwire-service service_host_test supervisor_test certwire_node certwire_msi)

fail() {
  grep -E 'error|undefined reference|Error' "$log" | head -n 30 >&2 || tail -n 30 "$log" >&2
  exit 1
}

# Prints the DLLs that a binary imports, in lower case.
imports() { x86_64-w64-mingw32-objdump -p "$1" | sed -n 's/^\tDLL Name: //p' | tr '[:upper:]' '[:lower:]'; }

fail_import() {
  echo "build-windows: $1 imports $2, which is not on the list of allowed DLLs" >&2
  exit 1
}

# The binaries may need nothing but Windows itself.
check_imports() {
  local name
  while read -r name; do
    case $name in
      kernel32.dll | advapi32.dll | ole32.dll | oleaut32.dll | msvcrt.dll | bcrypt.dll | wintrust.dll | node.exe) ;;
      api-ms-win-core-synch-l1-2-0.dll) ;;
      msi.dll) [ "$(basename "$1")" = certwire-msi.dll ] || fail_import "$1" "$name" ;;
      *) fail_import "$1" "$name" ;;
    esac
  done < <(imports "$1")
}

mkdir -p var
install_packages "${packages_windows[@]}"
install_npm
mkdir -p "$out"
cmake -S addon -B "$cmake_dir" -DCMAKE_TOOLCHAIN_FILE="$PWD/addon/cmake/mingw-x64.cmake" -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_SHARED_LINKER_FLAGS=-s -DCMAKE_MODULE_LINKER_FLAGS="-static -s" -DCMAKE_EXE_LINKER_FLAGS="-static -s" \
  -DCMAKE_RUNTIME_OUTPUT_DIRECTORY="$out" -DCMAKE_LIBRARY_OUTPUT_DIRECTORY="$out" \
  -DCERTWIRE_TESTS=ON -DCERTWIRE_UNITY=ON > "$log" 2>&1 || fail
cmake --build "$cmake_dir" --parallel 2 --target "${targets[@]}" >> "$log" 2>&1 || fail

for binary in "$out"/*.dll "$out"/*.exe "$out"/*.node; do
  [ -e "$binary" ] || continue
  check_imports "$binary"
done
# For the bill of materials: the libraries that are linked into the binaries, each with the package that it comes from, and
# that one's version and architecture.
for library in libstdc++.a libgcc.a libmingw32.a libwinpthread.a; do
  path=$(realpath "$(x86_64-w64-mingw32-g++-posix -print-file-name="$library")")
  package=$(dpkg-query -S "$path")
  printf '%s ' "$library"
  dpkg-query -W -f='${Package} ${Version} ${Architecture}\n' "${package%%:*}"
done > "$out/linked-packages.txt"
# What the npm package carries.
mkdir -p prebuilds/win32-x64
for name in certwire.node certwire-service.exe; do
  [ -e "$out/$name" ] || continue
  cmp -s "$out/$name" "prebuilds/win32-x64/$name" || cp "$out/$name" "prebuilds/win32-x64/$name"
done
find "$out" -maxdepth 1 \( -name '*.dll' -o -name '*.exe' -o -name '*.node' \) -exec du -h {} + | sed "s|$PWD/||"
