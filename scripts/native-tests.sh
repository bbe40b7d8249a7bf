#!/usr/bin/env bash
# The C++ suites: plain, under AddressSanitizer and UBSan, under ThreadSanitizer, then a short fuzz.
# CERTWIRE_FUZZ_SECONDS sets the time of each fuzz target (default 15).
set -euo pipefail
cd "$(dirname "$0")/.."
fuzz_seconds=${CERTWIRE_FUZZ_SECONDS:-15}

run_suite() {
  local name=$1 sanitize=$2 compiler=$3
  local dir=build/native-$name
  cmake -S addon -B "$dir" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_COMPILER="$compiler" -DCERTWIRE_TESTS=ON \
    -DCERTWIRE_NODE=OFF -DCERTWIRE_SANITIZE="$sanitize" > "$dir.log" 2>&1 || { tail -n 20 "$dir.log" >&2; exit 1; }
  cmake --build "$dir" --parallel 2 >> "$dir.log" 2>&1 || { grep -E 'error|Error' "$dir.log" | head -n 30 >&2; exit 1; }
  printf '  %s:\n' "$name"
  (cd "$dir" && ctest --output-on-failure --timeout 600 --no-tests=error | grep -vE '^(Test project|    Start)' | sed 's/^/    /')
}

run_suite plain "" g++
run_suite asan address,undefined clang++-14
run_suite tsan thread clang++-14
for target in build/native-asan/test/fuzz/fuzz_*; do
  [ -x "$target" ] || continue
  log=build/$(basename "$target").log
  "$target" -max_total_time="$fuzz_seconds" -rss_limit_mb=2048 -print_final_stats=1 > "$log" 2>&1 || { tail -n 30 "$log" >&2; exit 1; }
  printf '  %s: %s runs, no finding\n' "$(basename "$target")" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
done
