import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { decodeGap } from "../../src/exit/decode-gap.ts";
import { decodeRecord } from "../../src/exit/decode-record.ts";
import { frameTypes, type JournalFrame } from "../../src/journal/frame.ts";
import type { JournalPosition } from "../../src/journal/position.ts";
import { WholeJournal } from "../../src/journal/whole-journal.ts";
import {
  loadNative,
  type NativeExitSimulator,
  type SimulatedEvent,
} from "../../src/native/addon.ts";
import { until } from "./until.ts";

/** Bytes of every segment of a small journal. */
export const smallSegmentBytes = 64 * 1024;

/** A directory with a journal in it, gone after the test. */
export function journalDirectory(context: Pick<TestContext, "after">): string {
  const root = mkdtempSync(join(tmpdir(), "certwire-journal-"));
  context.after(() => rmSync(root, { recursive: true, force: true }));
  const directory = join(root, "journal");
  mkdirSync(directory);
  return directory;
}

/** A writer with small segments. */
export function openSmall(
  directory: string,
  segmentBytes = smallSegmentBytes,
  maxJournalBytes = 2 ** 30,
) {
  return new (loadNative().ExitSimulator)({
    directory,
    caName: "Small CA",
    firstSegmentBytes: segmentBytes,
    maxSegmentBytes: segmentBytes,
    maxJournalBytes,
    minFreeBytes: 1,
    flushIntervalMs: 5,
  });
}

/** The request bytes of a small event. */
export function smallRequest(weight: number): Buffer {
  return Buffer.alloc(weight, 7);
}

/** An issued certificate with a request ID and nearly nothing else; `weight` bytes are in its record. */
export function smallEvent(requestId: number, weight = 1000): SimulatedEvent {
  return {
    event: 1,
    context: requestId,
    request: { RequestID: { long: requestId }, RawRequest: { binary: smallRequest(weight) } },
    certificate: {},
    attributes: [],
    extensions: [],
  };
}

/** Records events with the request IDs from `first` to `last`. */
export function record(simulator: NativeExitSimulator, first: number, last: number): void {
  for (let id = first; id <= last; id += 1) simulator.notify(smallEvent(id));
}

/** Waits until everything that was appended is on disk. */
export async function flushed(simulator: NativeExitSimulator): Promise<void> {
  const isOnDisk = (): boolean => {
    const { appended, committed, durableSequence } = simulator.stats();
    // The EPOCH frame has a number too.
    return committed >= appended && durableSequence > BigInt(appended);
  };
  await until(isOnDisk, "everything that was appended is on disk", { everyMs: 2 });
}

/** Everything that a journal gives from a position onward; `durable`: that is known to be flushed. */
export async function readAll(
  directory: string,
  position: JournalPosition | null = null,
  mode: "committed" | "durable" = "committed",
): Promise<JournalFrame[]> {
  const journal = new WholeJournal(directory, position, mode);
  const frames: JournalFrame[] = [];
  try {
    for await (const chunk of journal.chunks(new AbortController().signal)) frames.push(...chunk);
  } finally {
    journal.close();
  }
  return frames;
}

/** `5` for the record of request 5, `gap retention 7-9` for a gap. */
export function label(frame: JournalFrame): number | string {
  if (frame.type !== frameTypes.gap)
    return Number(decodeRecord(frame.payload).request.get("RequestID"));
  const { reason, firstSequence, lastSequence } = decodeGap(frame.payload);
  return `gap ${reason} ${firstSequence}-${lastSequence ?? "?"}`;
}
