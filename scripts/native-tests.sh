#!/usr/bin/env bash
# The C++ suites: plain, under AddressSanitizer and UBSan (asan), under ThreadSanitizer (tsan), and a short
# fuzz run of the asan binaries. Suites can be named; default: all.
# CERTWIRE_FUZZ_SECONDS sets the time of each fuzz target (default 15).
set -euo pipefail
cd "$(dirname "$0")/.."
fuzz_seconds=${CERTWIRE_FUZZ_SECONDS:-15}
suites=("$@")
[ ${#suites[@]} -gt 0 ] || suites=(plain asan tsan fuzz)

run_suite() {
  local name=$1 sanitize=$2 compiler=$3
  local dir=build/native-$name
  cmake -S addon -B "$dir" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_COMPILER="$compiler" -DCERTWIRE_TESTS=ON \
    -DCERTWIRE_NODE=OFF -DCERTWIRE_UNITY=ON -DCERTWIRE_SANITIZE="$sanitize" \
    > "$dir.log" 2>&1 || { tail -n 20 "$dir.log" >&2; exit 1; }
  cmake --build "$dir" --parallel 2 >> "$dir.log" 2>&1 || { grep -E 'error|Error' "$dir.log" | head -n 30 >&2; exit 1; }
  printf '  %s:\n' "$name"
  local total failed status=0
  (cd "$dir" && ctest --parallel 2 --output-on-failure --timeout 1800 --no-tests=error) > "$dir.ctest" 2>&1 || status=$?
  grep -vE '^(Test project|    Start)' "$dir.ctest" | sed 's/^/    /'
  total=$(sed -nE 's/^.*tests passed, [0-9]+ tests failed out of ([0-9]+)$/\1/p' "$dir.ctest")
  failed=$(sed -nE 's/^.*tests passed, ([0-9]+) tests failed out of [0-9]+$/\1/p' "$dir.ctest")
  printf '  %s passed, %s failed\n' "$((total - failed))" "${failed:-0}"
  return "$status"
}

run_fuzz() {
  local target log
  for target in fuzz_reader fuzz_cbor_check; do
    log=build/$target.log
    "build/native-asan/test/$target" -max_total_time="$fuzz_seconds" -max_len=8192 -rss_limit_mb=2048 -print_final_stats=1 \
      > "$log" 2>&1 || { tail -n 30 "$log" >&2; exit 1; }
    printf '  %s: %s runs, no finding\n' "$target" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
  done
  printf '  2 passed, 0 failed\n'
}

for suite in "${suites[@]}"; do
  case $suite in
    plain) run_suite plain "" g++ ;;
    asan) run_suite asan address,undefined clang++-14 ;;
    tsan) run_suite tsan thread clang++-14 ;;
    fuzz) run_fuzz ;;
    *) echo "native-tests: unknown suite $suite; the suites are plain, asan, tsan, fuzz" >&2; exit 2 ;;
  esac
done
