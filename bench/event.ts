// The work for one event, from the journal to bytes and into an export, on a stream as a CA has it and on one in which no
// value repeats: processor time, and ratios within one run. Prints one JSON object:
// node event.js [--events 3000] [--runs 5] [--directory DIRECTORY] [--out FILE]
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import type { Detail } from "../src/events/envelope.ts";
import type { EventWork } from "./event-work.ts";
import { fillJournal } from "./journal.ts";
import { uniqueEvent } from "./unique-events.ts";

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "3000" },
    runs: { type: "string", default: "5" },
    directory: { type: "string", default: tmpdir() },
    out: { type: "string" },
  },
});

const worker = join(import.meta.dirname, "event-work.js");

function measure(journal: string, detail: Detail) {
  // A process for each: what the compiler has learnt of one stream is not that of another one.
  const output = execFileSync(process.execPath, [worker, journal, detail, values.runs]);
  const work = JSON.parse(output.toString()) as EventWork;
  return {
    ...work,
    exportToStringify: work.export / work.stringify,
    journalToBytesToStringify: work.journalToBytes / work.stringify,
  };
}

const root = mkdtempSync(join(values.directory, "certwire-event-"));
try {
  const [lifelike, unique] = [join(root, "lifelike"), join(root, "unique")];
  fillJournal(lifelike, Number(values.events));
  fillJournal(unique, Number(values.events), uniqueEvent);
  const report = {
    node: process.version,
    full: measure(lifelike, "full"),
    standard: measure(lifelike, "standard"),
    unique: measure(unique, "full"),
  };
  const text = `${JSON.stringify(report, undefined, 2)}\n`;
  process.stdout.write(text);
  if (values.out !== undefined) {
    mkdirSync(dirname(values.out), { recursive: true });
    writeFileSync(values.out, text);
  }
} finally {
  rmSync(root, { recursive: true });
}
