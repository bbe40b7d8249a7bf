// Plays the same scripts on the models and on real brokers, and compares what came of them: see
// docs/explanation/simulation.md.
import { parseArgs } from "node:util";
import { conform, isTarget, targets } from "./conform.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    scripts: { type: "string", default: "100" },
    seed: { type: "string", default: "1" },
    "no-shrink": { type: "boolean", default: false },
  },
});
const wanted = positionals.length === 0 ? targets : positionals.filter(isTarget);
if (wanted.length !== (positionals.length || targets.length)) {
  console.error(
    `usage: npm run simulate:conformance -- [${targets.join(" ")}] [--scripts N] [--seed S] [--no-shrink]`,
  );
  process.exit(2);
}
const options = {
  firstSeed: Number(values.seed),
  scripts: Number(values.scripts),
  shrinks: !values["no-shrink"],
};
try {
  for (const target of wanted) console.log(`${target}: ${await conform(target, options)}`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
