#!/usr/bin/env bash
# Measures what an append to the journal costs its caller, compared with a lock and a write and with a bare copy; then
# what the hash chain costs, compared with a writer without it, in turns.
#   npm run bench:journal [-- SECONDS]     seconds of each part, default 3
# Builds what it needs; the figures go to build/bench-journal.json and build/bench-chain.json.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=build/bench-native
out=build/bench-journal.json
chain=build/bench-chain.json
seconds=${1:-3}
mkdir -p build
cmake -S addon -B "$dir" -DCMAKE_BUILD_TYPE=Release -DCERTWIRE_TESTS=ON -DCERTWIRE_NODE=OFF > "$dir.log" 2>&1 &&
  cmake --build "$dir" --parallel 2 --target journal_bench journal_bench_without_chain >> "$dir.log" 2>&1 ||
  { tail -n 30 "$dir.log" >&2; exit 1; }
"$dir/test/journal_bench" "$dir" "$seconds" | tee "$out"
for _ in 1 2 3 4 5; do
  for name in journal_bench journal_bench_without_chain; do
    printf '{"name":"%s","result":%s}\n' "$name" "$("$dir/test/$name" "$dir" "$seconds" append)"
  done
done | node scripts/bench-chain.mjs | tee "$chain"
echo "written to $out and $chain" >&2
