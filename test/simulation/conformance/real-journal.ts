import { mkdirSync } from "node:fs";
import { unlink } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { JournalFrame } from "../../../src/journal/frame.ts";
import { framesOf } from "../../../src/journal/journal-reader.ts";
import type { JournalPosition } from "../../../src/journal/position.ts";
import { listSegments } from "../../../src/journal/segments.ts";
import { loadNative, type NativeJournalReader } from "../../../src/native/addon.ts";
import {
  makeTempDirectory,
  removeTempDirectory,
} from "../../integration/support/temp-directory.ts";
import { ChangedSegment, type FoundFrame } from "../../support/changed-journal.ts";
import { JournalWriter } from "../../support/journal-writer.ts";
import type { Tear } from "./journal-script.ts";
import type { Layout } from "./model-journal.ts";
import type { JournalSubject } from "./play-journal.ts";

/** Longest time for which a reader that found nothing relies on what it knows of the directory, in ms. */
const relistMs = 100;
const frameHeaderBytes = 104;

/** The exit module's writer, in a process of its own, and the addon's reader, as the subject of a script. */
export class RealJournal implements JournalSubject {
  readonly #root = makeTempDirectory("conformance");
  readonly #directory = join(this.#root, "journal");
  readonly #layout = new Map<number, Set<number>>();
  #writer: JournalWriter | undefined;
  #reader: NativeJournalReader | undefined;
  /** False if its last read found nothing. */
  #hasFound = true;

  constructor() {
    mkdirSync(this.#directory);
  }

  /** Where the writer began segments. */
  get layout(): Layout {
    return this.#layout;
  }

  async append(requestIds: readonly number[]): Promise<void> {
    const isNew = this.#writer === undefined;
    this.#writer ??= new JournalWriter(this.#directory);
    await this.#writer.order({ do: "append", requestIds: isNew ? [0, ...requestIds] : requestIds });
    await this.#writer.order({ do: "flush" });
    for (const { epochNumber, segment, firstSequence } of await listSegments(this.#directory)) {
      let begun = this.#layout.get(epochNumber);
      if (begun === undefined) this.#layout.set(epochNumber, (begun = new Set()));
      if (segment > 0) begun.add(Number(firstSequence));
    }
  }

  async end(how: "seal" | "kill"): Promise<void> {
    if (how === "seal") await this.#writer?.order({ do: "seal" });
    await this.#endWriter();
  }

  async tear(torn: readonly boolean[], tear: Tear): Promise<void> {
    const newest = (await listSegments(this.#directory)).at(-1);
    const segment = new ChangedSegment(join(this.#directory, newest?.name ?? ""));
    const records = segment.records().slice(-torn.length);
    const isTorn = (at: number): boolean => torn.at(at - records.length) === true;
    for (const [at, record] of records.entries()) {
      if (!isTorn(at)) continue;
      tearFrame(segment.bytes, record, tear);
      // Nor is anything left between two torn records, or after the last one: the frame that says how far the journal is
      // flushed, of which the model has none.
      const next = records[at + 1];
      if (next === undefined || isTorn(at + 1)) segment.bytes.fill(0, endOf(record), next?.offset);
    }
    segment.save();
  }

  async deleteOldest(count: number): Promise<void> {
    const segments = await listSegments(this.#directory);
    for (const { name } of segments.slice(0, Math.min(count, segments.length - 1))) {
      await unlink(join(this.#directory, name));
    }
  }

  async open(position: JournalPosition | null): Promise<void> {
    this.#reader?.close();
    this.#hasFound = true;
    this.#reader = new (loadNative().JournalReader)({
      directory: this.#directory,
      quarantineDirectory: null,
      mode: "committed",
      position,
      maxBatchBytes: 1,
      maxBatchFrames: 1,
    });
  }

  async read(count: number): Promise<readonly JournalFrame[]> {
    const reader = this.#reader!;
    const frames: JournalFrame[] = [];
    while (frames.length < count) {
      // After that it reads the directory again, whatever it found there before.
      const hadFound = this.#hasFound;
      if (!hadFound) await sleep(relistMs);
      const batch = await reader.read();
      this.#hasFound = batch !== null;
      if (batch !== null) frames.push(...framesOf(batch));
      else if (!hadFound && reader.atEnd()) break;
    }
    return frames;
  }

  async close(): Promise<void> {
    this.#reader?.close();
    await this.#endWriter();
    removeTempDirectory(this.#root);
  }

  async #endWriter(): Promise<void> {
    const writer = this.#writer;
    this.#writer = undefined;
    await writer?.kill();
  }
}

function endOf({ offset, payload }: FoundFrame): number {
  return offset + Math.ceil((frameHeaderBytes + payload.length) / 8) * 8;
}

function tearFrame(bytes: Buffer, frame: FoundFrame, tear: Tear): void {
  const { offset, payload } = frame;
  const end = endOf(frame);
  const body = offset + frameHeaderBytes;
  const ranges: Readonly<Record<Tear, readonly [from: number, to: number]>> = {
    "first-half": [body + Math.floor(payload.length / 2), end],
    "no-header": [offset, body],
    "no-payload": [body, end],
    nothing: [offset, end],
  };
  bytes.fill(0, ...ranges[tear]);
}
