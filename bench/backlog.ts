// How a start with a backlog behaves: the time to the first publish, memory, and the cost of an event
// beside that of a backlog of a hundredth. Prints one JSON object:
// node backlog.js [--megabytes 10240] [--runs 5] [--directory DIRECTORY] [--out FILE]
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { loadNative, type SimulatedEvent } from "../src/native/addon.ts";
import type { BacklogResult } from "./backlog-reader.ts";

const { values } = parseArgs({
  options: {
    megabytes: { type: "string", default: "10240" },
    runs: { type: "string", default: "5" },
    directory: { type: "string", default: tmpdir() },
    out: { type: "string" },
  },
});
const megabytes = Number(values.megabytes);
const runs = Number(values.runs);
/** Bytes of a record: nearly all of it a request, so that a large backlog is written quickly. */
const recordBytes = 8 * 1024;
/** Most bytes that may wait in the writer's memory while a journal is written. */
const maxWaitingBytes = 16 * 1024 * 1024;
const reader = fileURLToPath(new URL("backlog-reader.js", import.meta.url));

function eventOf(requestId: number): SimulatedEvent {
  return {
    event: 1,
    context: requestId,
    request: {
      RequestID: { long: requestId },
      RawRequest: { binary: Buffer.alloc(recordBytes, requestId % 256) },
    },
    certificate: {},
    attributes: [],
    extensions: [],
  };
}

/** Writes a journal through the exit module's own code, without losing any record to a slow disk. */
async function fill(directory: string, events: number): Promise<void> {
  mkdirSync(directory);
  const simulator = new (loadNative().ExitSimulator)({
    directory,
    caName: "Backlog CA",
    maxJournalBytes: Number.MAX_SAFE_INTEGER,
  });
  for (let id = 1; id <= events; id += 1) {
    simulator.notify(eventOf(id));
    while (simulator.stats().outstandingBytes > maxWaitingBytes) await delay(5);
  }
  simulator.shutdown();
  const { dropped } = simulator.stats();
  simulator.close();
  if (dropped > 0) throw new Error(`${dropped} records were dropped for lack of memory`);
}

function publish(directory: string, events: number): BacklogResult {
  const output = execFileSync(process.execPath, [reader, directory, String(events)]);
  return JSON.parse(output.toString()) as BacklogResult;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

async function measure(root: string) {
  const events = Math.floor((megabytes * 2 ** 20) / recordBytes);
  const [large, small] = [join(root, "large"), join(root, "small")];
  const startedAt = performance.now();
  await fill(large, events);
  const fillSeconds = (performance.now() - startedAt) / 1000;
  await fill(small, Math.ceil(events / 100));
  const sample = Math.floor(events / 100);
  const pairs = Array.from(
    { length: runs },
    () => [publish(small, sample), publish(large, sample)] as const,
  );
  const [smallUs, largeUs] = [0, 1].map((at) =>
    median(pairs.map((pair) => pair[at]!.cpuMicrosecondsPerEvent)),
  );
  return {
    megabytes,
    events,
    fillSeconds: Math.round(fillSeconds),
    firstPublishMs: median(pairs.map(([, { firstPublishMs }]) => firstPublishMs)),
    framesBeforePublish: Math.max(
      ...pairs.map(([, { framesBeforePublish }]) => framesBeforePublish),
    ),
    cpuMicrosecondsPerEvent: { small: smallUs, large: largeUs, ratio: largeUs! / smallUs! },
    rssMegabytes: publish(large, Math.min(events, 50_000)).rssMegabytes,
  };
}

const root = mkdtempSync(join(values.directory, "certwire-backlog-"));
try {
  const text = `${JSON.stringify(await measure(root), null, 2)}\n`;
  process.stdout.write(text);
  if (values.out !== undefined) writeFileSync(values.out, text);
} finally {
  rmSync(root, { recursive: true });
}
