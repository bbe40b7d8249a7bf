// Processor time of the work for one event, of the journal that is given, as one line of JSON; medians of RUNS passes over
// the whole journal, after one that is not counted: node event-work.js JOURNAL DETAIL RUNS [ONLY-STEP]
import { open } from "node:fs/promises";
import { CaIdentity } from "../src/events/ca-identity.ts";
import type { Detail } from "../src/events/envelope.ts";
import type { CertwireEvent } from "../src/events/event.ts";
import { shapeEvent } from "../src/events/shape-event.ts";
import { shrinkEvent } from "../src/events/shrink-event.ts";
import type { JournalFrame } from "../src/journal/frame.ts";
import { WholeJournal } from "../src/journal/whole-journal.ts";
import { linesOfJournal, withEnds } from "../src/journal-tools/journal-lines.ts";
import { repetitionCounts } from "../src/repeated-values.ts";
import { decodeContent, decodeFrame, type EventContext } from "../src/sources/decode-frame.ts";

/** Processor time in µs for one event, all threads: medians. */
export interface EventWork {
  readonly events: number;
  /** Mean of the JSON of an event, in bytes. */
  readonly jsonBytes: number;
  /** Share of the look-ups in `RepeatedValues` that found one, in the first pass. */
  readonly repeated: number;
  /** From the payload to the record. */
  readonly decode: number;
  /** From the payload to the event as an object. */
  readonly event: number;
  /** From the journal on disk to the bytes of an event as a sink publishes them. */
  readonly journalToBytes: number;
  /** From the journal on disk to a file, as `journal export` does it, with every detail. */
  readonly export: number;
  /** `JSON.stringify` of the same events, as objects. */
  readonly stringify: number;
}

const [directory = "", detail = "full", runs = "5", only] = process.argv.slice(2);
const signal = new AbortController().signal;
const options = { detail: detail as Detail };
const shape = { shrink: shrinkEvent, maxBytesAt: () => 900 * 1024 };

const newContext = (): EventContext => ({ options, identity: new CaIdentity() });

async function framesOfJournal(): Promise<JournalFrame[]> {
  const journal = new WholeJournal(directory);
  try {
    const all: JournalFrame[] = [];
    for await (const frames of journal.chunks(signal)) all.push(...frames);
    return all;
  } finally {
    journal.close();
  }
}

function eventsOf(frame: JournalFrame, context: EventContext): readonly CertwireEvent[] {
  const decoded = decodeFrame(frame, context);
  if ("undecodable" in decoded) throw decoded.undecodable;
  return decoded.events;
}

async function journalToBytes(): Promise<number> {
  const context = newContext();
  const journal = new WholeJournal(directory);
  let bytes = 0;
  try {
    for await (const frames of journal.chunks(signal)) {
      for (const frame of frames) {
        for (const event of eventsOf(frame, context)) bytes += shapeEvent(event, shape).json.length;
      }
    }
  } finally {
    journal.close();
  }
  return bytes;
}

async function exportAll(): Promise<void> {
  const context = { options: { detail: "full" as const }, identity: new CaIdentity() };
  const journal = new WholeJournal(directory);
  const target = await open("/dev/null", "w");
  const undecodable = (error: Error): never => {
    throw error;
  };
  const lineOptions = { context, selection: {}, isRaw: false, undecodable };
  try {
    for await (const { lines } of linesOfJournal(journal, lineOptions, signal)) {
      await target.appendFile(withEnds(lines));
    }
  } finally {
    await target.close();
    journal.close();
  }
}

const frames = await framesOfJournal();
const context = newContext();
const bytes = await journalToBytes();
const { found, missed } = repetitionCounts();
const repeated = found / (found + missed);
const events = frames.flatMap((frame) => eventsOf(frame, context)).length;

/** Objects of all events at once would cost the collector time that nothing else of the work has, so a part at a time. */
async function stringify(measure: (step: () => void) => void): Promise<void> {
  const own = newContext();
  for (let at = 0; at < frames.length; at += 100) {
    const part = frames.slice(at, at + 100).flatMap((frame) => eventsOf(frame, own));
    measure(() => {
      for (const event of part) JSON.stringify(event);
    });
  }
}

const steps: Readonly<Record<string, () => unknown>> = {
  decode: () => {
    for (const frame of frames) decodeContent(frame);
  },
  event: () => {
    const own = newContext();
    for (const frame of frames) eventsOf(frame, own);
  },
  journalToBytes,
  export: exportAll,
};

const taken: Record<string, number[]> = {};

function used(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return user + system;
}

for (let run = 0; run <= Number(runs); run += 1) {
  for (const [name, step] of Object.entries(steps)) {
    if (only !== undefined && only !== name) continue;
    const start = process.cpuUsage();
    await step();
    if (run > 0) (taken[name] ??= []).push(used(start) / events);
  }
  if (only !== undefined) continue;
  let sum = 0;
  await stringify((step) => {
    const start = process.cpuUsage();
    step();
    sum += used(start);
  });
  if (run > 0) (taken["stringify"] ??= []).push(sum / events);
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

const medians = Object.entries(taken).map(([name, all]) => [name, median(all)] as const);
const result = { events, jsonBytes: bytes / events, repeated, ...Object.fromEntries(medians) };
process.stdout.write(`${JSON.stringify(result)}\n`);
