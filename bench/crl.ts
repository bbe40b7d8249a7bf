// Processor time that a CRL of 5 MiB takes, beside one of a tenth, medians: node crl.js [--runs 9] [--out FILE]
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { parseCrl } from "../src/x509/crl.ts";
import { largeCrl } from "../test/support/large-crl.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "9" },
    out: { type: "string" },
  },
});
const entries = 131_072;

/** Processor time of one parse, in ms. */
function parseMs(der: Buffer): number {
  const times = Array.from({ length: Number(values.runs) }, () => {
    const started = process.cpuUsage();
    parseCrl(der);
    return process.cpuUsage(started).user / 1000;
  });
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN;
}

const tenthMs = parseMs(largeCrl(Math.round(entries / 10)));
const wholeMs = parseMs(largeCrl(entries));
const text = `${JSON.stringify({ entries, tenthMs, wholeMs, ratio: wholeMs / tenthMs }, null, 2)}\n`;
process.stdout.write(text);
if (values.out !== undefined) writeFileSync(values.out, text);
