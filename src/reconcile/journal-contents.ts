import { hash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { clock } from "../clock.ts";
import { CertwireError } from "../errors/certwire-error.ts";
import { contentId } from "../events/content-id.ts";
import { issuedCrls } from "../events/crl-data.ts";
import { kindOfRecord } from "../events/event-kind.ts";
import { unixMsOf } from "../events/times.ts";
import type { ExitRecord, RecordValue } from "../exit/record.ts";
import { directoryModes } from "../files/append-file.ts";
import { ignoreMissing } from "../files/existing.ts";
import { readLimitedText } from "../files/limited-text.ts";
import { replaceFile } from "../files/replace-file.ts";
import type { JournalFrame } from "../journal/frame.ts";
import type { JournalPosition } from "../journal/position.ts";
import { WholeJournal } from "../journal/whole-journal.ts";
import { decodeContent } from "../sources/decode-frame.ts";
import type { ReconcileLayout } from "../state/layout.ts";
import { mebibyte } from "../units.ts";
import { ContentIndex, crlRequestId, type IndexEntry, isIndexed } from "./content-index.ts";
import { crlEntryId } from "./crl-entry-id.ts";

/** A CA that journal or topic have something about. */
export interface SeenName {
  /** SanitizedCAName. */
  readonly name: string;
  /** SHA-256 of its certificate, lower-case hex; empty if it is not known. */
  readonly certificate: string;
}

const maxHeadBytes = 4 * mebibyte;
/** What an entry can number. */
export const maxCas = 65_536;
/** DO_NOT_PERSIST_IN_DB: the CA does not keep what it issues by such a template. */
const unstoredFlag = 0x1000;

const headShape = z.object({
  version: z.literal(1),
  position: z
    .object({
      epochNumber: z.int(),
      epochId: z.string().regex(/^[0-9a-f]{32}$/),
      segment: z.int(),
      offset: z.int(),
      sequence: z.string().regex(/^\d{1,20}$/),
    })
    .nullable(),
  coveredSinceMs: z.number().nullable(),
  cas: z.array(z.object({ name: z.string(), certificate: z.string() })).max(maxCas),
});

interface Head {
  position: JournalPosition | null;
  coveredSinceMs: number | null;
  cas: SeenName[];
}

/** What somebody other than the CA says has happened to which request: the journal, or a topic. */
export interface Contents {
  /** What to call it. */
  readonly noun: "journal" | "topic" | "stream";
  /**
   * From when on they are whole, in ms since 1970; `undefined` while they were empty. What happened before is history: it
   * may have been there and was deleted, or Certwire was not there yet.
   */
  readonly coveredSinceMs: number | undefined;
  /** When the last `update` began that has read to the end, in ms since 1970; `undefined` before. */
  readonly knownUntilMs: number | undefined;
  /** The CAs that they have something about. */
  readonly cas: readonly SeenName[];
  /**
   * Reads what is new in a place: the directory of a journal. `onRecords`: called with the number of records that were
   * read so far. Ends early if the signal is aborted, and may be called again.
   */
  update(place: string, signal: AbortSignal, onRecords?: (records: number) => void): Promise<void>;
  /** The entries of a file of the index, by request. Rejects with CERTWIRE_CHECKPOINT_FAILED. */
  read(part: number): Promise<Map<number, IndexEntry[]>>;
  /** Numbers of the files of the index, rising. Rejects with CERTWIRE_CHECKPOINT_FAILED. */
  parts(): Promise<number[]>;
}

/**
 * What the journal says has happened to which request, also of records that retention has deleted since: an index on disk
 * that goes on where it was. One process at a time may update it.
 */
export class JournalContents implements Contents {
  readonly noun = "journal";
  readonly #paths: ReconcileLayout;
  readonly #index: ContentIndex;
  readonly #head: Head;
  readonly #now: () => number;
  /** Numbers of the CAs, by name and certificate. */
  readonly #numbers: Map<string, number>;
  #knownUntilMs: number | undefined;
  #lastDer: Buffer | undefined;
  #lastHash = "";

  private constructor(paths: ReconcileLayout, head: Head, now: () => number) {
    this.#paths = paths;
    this.#index = new ContentIndex(paths.index);
    this.#head = head;
    this.#now = now;
    this.#numbers = new Map(head.cas.map((seen, number) => [keyOfCa(seen), number]));
  }

  /**
   * Reads where it was; a head that does not exist begins anew. `now`: in ms since 1970. Rejects with
   * CERTWIRE_CHECKPOINT_FAILED.
   */
  static async open(paths: ReconcileLayout, now = () => clock.time()): Promise<JournalContents> {
    try {
      const text = await readLimitedText(paths.head, maxHeadBytes).catch(ignoreMissing);
      if (text === undefined) {
        return new JournalContents(paths, { position: null, coveredSinceMs: null, cas: [] }, now);
      }
      const { position, coveredSinceMs, cas } = headShape.parse(JSON.parse(text));
      const place = position && { ...position, sequence: BigInt(position.sequence) };
      return new JournalContents(paths, { position: place, coveredSinceMs, cas }, now);
    } catch (cause) {
      const hint = `If the file is damaged, delete ${dirname(paths.head)}: what is retained is read again.`;
      throw new CertwireError("CERTWIRE_CHECKPOINT_FAILED", `cannot read ${paths.head}`, {
        cause,
        hint,
      });
    }
  }

  get coveredSinceMs(): number | undefined {
    return this.#head.coveredSinceMs ?? undefined;
  }

  get knownUntilMs(): number | undefined {
    return this.#knownUntilMs;
  }

  get cas(): readonly SeenName[] {
    return this.#head.cas;
  }

  /** Up to its flushed end. Rejects with CERTWIRE_JOURNAL_UNREADABLE or CERTWIRE_CHECKPOINT_FAILED. */
  async update(
    directory: string,
    signal: AbortSignal,
    onRecords: (records: number) => void = () => undefined,
  ): Promise<void> {
    const beganMs = this.#now();
    const journal = new WholeJournal(directory, this.#head.position, "durable");
    let records = 0;
    let first: JournalFrame | undefined;
    let last: JournalFrame | undefined;
    try {
      for await (const frames of journal.chunks(signal)) {
        // Records in between were deleted before they were read.
        if (first === undefined && journal.stats().positionLost) this.#head.coveredSinceMs = null;
        first ??= frames[0];
        if (first) this.#head.coveredSinceMs ??= unixMsOf(first.time);
        for (const frame of frames) await this.#take(frame);
        last = frames.at(-1);
        records += frames.length;
        onRecords(records);
        if (this.#index.isFull) await this.#save(last);
      }
    } finally {
      journal.close();
    }
    if (last !== undefined) await this.#save(last);
    if (!signal.aborted) this.#knownUntilMs = beganMs;
  }

  read(part: number): Promise<Map<number, IndexEntry[]>> {
    return this.#index.read(part);
  }

  parts(): Promise<number[]> {
    return this.#index.parts();
  }

  async #take(frame: JournalFrame): Promise<void> {
    const content = decodeContent(frame);
    if (!("record" in content)) return;
    const { record } = content;
    const kind = kindOfRecord(record);
    if (kind === "crl.issued") return this.#takeCrls(record);
    if (!isIndexed(kind) || record.context <= 0) return;
    const ca = await this.#numberOf(record);
    if (ca === undefined) return;
    this.#index.add({
      requestId: record.context,
      kind,
      contentId: contentId(kind, record),
      timeSeconds: Math.floor(unixMsOf(record.time) / 1000),
      ca,
      isUnstored: isUnstored(record),
    });
  }

  async #takeCrls(record: ExitRecord): Promise<void> {
    const ca = await this.#numberOf(record);
    if (ca === undefined) return;
    const timeSeconds = Math.floor(unixMsOf(record.time) / 1000);
    for (const issued of issuedCrls(record)) {
      this.#index.add({
        requestId: crlRequestId,
        kind: "crl.issued",
        contentId: crlEntryId(issued),
        timeSeconds,
        ca,
        isUnstored: false,
      });
    }
  }

  /** `undefined` if there are too many. */
  async #numberOf({ ca }: ExitRecord): Promise<number | undefined> {
    const [name, der] = [ca.get("SanitizedCAName"), ca.get("RawCACertificate")];
    const seen = { name: typeof name === "string" ? name : "", certificate: this.#hashOf(der) };
    const { cas } = this.#head;
    const known = this.#numbers.get(keyOfCa(seen));
    if (known !== undefined || cas.length >= maxCas) return known;
    this.#numbers.set(keyOfCa(seen), cas.length);
    cas.push(seen);
    // Entries are of no use without what their number means.
    await this.#saveHead();
    return cas.length - 1;
  }

  #hashOf(der: RecordValue | undefined): string {
    if (!Buffer.isBuffer(der)) return "";
    if (this.#lastDer?.equals(der)) return this.#lastHash;
    this.#lastDer = Buffer.from(der);
    this.#lastHash = hash("sha256", der);
    return this.#lastHash;
  }

  async #save(last: JournalFrame | undefined): Promise<void> {
    // First: if it cannot be written, each reading would add the same entries to the index again.
    await this.#saveHead();
    await this.#index.write();
    if (last !== undefined) this.#head.position = last.position;
    await this.#saveHead();
  }

  async #saveHead(): Promise<void> {
    const { position, ...rest } = this.#head;
    const place = position && { ...position, sequence: String(position.sequence) };
    const text = `${JSON.stringify({ version: 1, position: place, ...rest })}\n`;
    try {
      await mkdir(dirname(this.#paths.head), { recursive: true, mode: directoryModes.private });
      await replaceFile(this.#paths.head, "private", [text]);
    } catch (cause) {
      const message = `cannot write ${this.#paths.head}`;
      throw new CertwireError("CERTWIRE_CHECKPOINT_FAILED", message, { cause });
    }
  }
}

/** What tells a CA from others. */
export function keyOfCa({ name, certificate }: SeenName): string {
  return `${certificate} ${name}`;
}

function isUnstored({ certificate }: ExitRecord): boolean {
  const flags = certificate.get("GeneralFlags");
  return typeof flags === "number" && (flags & unstoredFlag) !== 0;
}
