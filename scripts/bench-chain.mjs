// Reads lines `{"name": ..., "result": {...}}` of journal_bench and journal_bench_without_chain from standard input and
// prints, as JSON, the median of each figure with and without the hash chain, and the one divided by the other.
import { readFileSync } from "node:fs";

const runs = readFileSync(0, "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line));

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** The median of each figure of the runs with this name. */
function mediansOf(name) {
  const results = runs.filter((run) => run.name === name).map(({ result }) => result);
  const medians = Object.keys(results[0]).map((key) => [
    key,
    median(results.map((result) => result[key])),
  ]);
  return Object.fromEntries(medians);
}

const withChain = mediansOf("journal_bench");
const withoutChain = mediansOf("journal_bench_without_chain");
const ratios = Object.entries(withChain).map(([key, value]) => [
  key,
  Number((value / withoutChain[key]).toFixed(3)),
]);
const figures = { withChain, withoutChain, withDividedByWithout: Object.fromEntries(ratios) };
console.log(JSON.stringify({ unit: "us", ...figures }, undefined, 2));
