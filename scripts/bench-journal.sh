#!/usr/bin/env bash
# Measures what an append to the journal costs its caller, compared with a lock and a write and with a bare copy.
#   npm run bench:journal [-- SECONDS]     seconds of each part, default 3
# Builds what it needs; the figures go to build/bench-journal.json.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=build/bench-native
out=build/bench-journal.json
mkdir -p build
cmake -S addon -B "$dir" -DCMAKE_BUILD_TYPE=Release -DCERTWIRE_TESTS=ON -DCERTWIRE_NODE=OFF > "$dir.log" 2>&1 &&
  cmake --build "$dir" --parallel 2 --target journal_bench >> "$dir.log" 2>&1 || { tail -n 30 "$dir.log" >&2; exit 1; }
"$dir/test/journal_bench" "$dir" "${1:-3}" | tee "$out"
echo "written to $out" >&2
