import { rm } from "node:fs/promises";
import { clock } from "../clock.ts";
import { CertwireError } from "../errors/certwire-error.ts";
import { schemaUri } from "../events/envelope.ts";
import { type CertwireEvent, type EventKind, eventKinds } from "../events/event.ts";
import type { ReconcileLayout } from "../state/layout.ts";
import {
  ContentIndex,
  crlRequestId,
  type IndexEntry,
  type IndexedKind,
  isIndexed,
} from "./content-index.ts";
import { crlSubjectId } from "./crl-entry-id.ts";
import { type Contents, keyOfCa, maxCas, type SeenName } from "./journal-contents.ts";

/** An event, and where it is from. */
export interface PlacedEvent {
  readonly event: CertwireEvent;
  /** The partition or stream that it is from, if its oldest messages are deleted. */
  readonly truncated?: string | undefined;
}

/**
 * Reads all events of a topic or stream, and returns the names of the partitions or streams whose oldest messages are
 * deleted. Ends early if the signal is aborted.
 */
export type ReadEvents = (
  contents: EventContents,
  signal: AbortSignal,
  onMessages: (messages: number) => void,
) => Promise<readonly string[]>;

/** Kinds by the schema that their events name. */
const kindsBySchema: ReadonlyMap<string, EventKind> = new Map(
  eventKinds.map((kind) => [schemaUri(kind), kind]),
);
const contentIdForm = /^[\w-]{22}$/;
const certificateForm = /^[0-9a-f]{64}$/;
/** Far above what a CA's name may have, in UTF-16 units. */
const maxNameLength = 256;
const maxRequestId = 2 ** 31 - 1;

/**
 * What the events of a topic or stream say has happened to which request, and which CRLs they have. They are read once, by
 * the first `update`; what a backfill has published there is kept apart, where `Backfilled` finds it.
 */
export class EventContents implements Contents {
  readonly noun: "topic" | "stream";
  readonly cas: SeenName[] = [];
  readonly #read: ReadEvents;
  readonly #live: ContentIndex;
  readonly #published: ContentIndex;
  /** Numbers of the CAs, by name and certificate. */
  readonly #numbers = new Map<string, number>();
  /** When the oldest event was recorded, in ms since 1970. */
  #oldestMs: number | undefined;
  /** The same for each place whose oldest messages are deleted, of its first event. */
  readonly #firstMs = new Map<string, number>();
  #truncated: readonly string[] = [];
  #knownUntilMs: number | undefined;
  readonly #now: () => number;

  private constructor(
    noun: EventContents["noun"],
    paths: ReconcileLayout,
    read: ReadEvents,
    now: () => number,
  ) {
    this.#now = now;
    this.noun = noun;
    this.#read = read;
    this.#live = new ContentIndex(paths.index);
    this.#published = new ContentIndex(paths.published("events"));
  }

  /** Forgets what an earlier run has read. `now`: in ms since 1970. Rejects with CERTWIRE_CHECKPOINT_FAILED. */
  static async open(
    noun: EventContents["noun"],
    paths: ReconcileLayout,
    read: ReadEvents,
    now = () => clock.time(),
  ): Promise<EventContents> {
    try {
      for (const directory of [paths.index, paths.publishedDirectory]) {
        await rm(directory, { recursive: true, force: true });
      }
    } catch (cause) {
      const message = `cannot delete ${paths.index}`;
      throw new CertwireError("CERTWIRE_CHECKPOINT_FAILED", message, { cause });
    }
    return new EventContents(noun, paths, read, now);
  }

  get coveredSinceMs(): number | undefined {
    if (this.#truncated.length === 0) return this.#oldestMs;
    // Of a place that has no event left, nobody knows how far its deleted ones reached.
    const endMs = this.#knownUntilMs ?? 0;
    const firsts = this.#truncated.map((place) => this.#firstMs.get(place) ?? endMs);
    return Math.max(...firsts);
  }

  get knownUntilMs(): number | undefined {
    return this.#knownUntilMs;
  }

  /** True when `write` should be called. */
  get isFull(): boolean {
    return this.#live.isFull || this.#published.isFull;
  }

  /** Takes an event; one that the database cannot show only says since when events are there. */
  add({ event, truncated }: PlacedEvent): void {
    const recordedMs = Date.parse(event.recordedtime);
    const isLive = event.origin !== "database";
    if (isLive && !event.replayed && Number.isFinite(recordedMs)) {
      this.#oldestMs = Math.min(this.#oldestMs ?? recordedMs, recordedMs);
      if (truncated !== undefined && !this.#firstMs.has(truncated)) {
        this.#firstMs.set(truncated, recordedMs);
      }
    }
    const kind = kindsBySchema.get(event.dataschema);
    if (kind === undefined || !isIndexed(kind)) return;
    const entry = this.#entryOf(event, kind, recordedMs);
    if (entry !== undefined) (isLive ? this.#live : this.#published).add(entry);
  }

  /** Makes durable what was added. Rejects with CERTWIRE_CHECKPOINT_FAILED. */
  async write(): Promise<void> {
    await this.#live.write();
    await this.#published.write();
  }

  /** The first call reads everything; the later ones nothing. Rejects as `read` does. */
  async update(
    _place: string,
    signal: AbortSignal,
    onMessages: (messages: number) => void = () => undefined,
  ): Promise<void> {
    if (this.#knownUntilMs !== undefined) return;
    const knownUntilMs = this.#now();
    this.#truncated = await this.#read(this, signal, onMessages);
    await this.write();
    this.#knownUntilMs = knownUntilMs;
  }

  read(part: number): Promise<Map<number, IndexEntry[]>> {
    return this.#live.read(part);
  }

  parts(): Promise<number[]> {
    return this.#live.parts();
  }

  #entryOf(event: CertwireEvent, kind: IndexedKind, recordedMs: number): IndexEntry | undefined {
    const isCrl = kind === "crl.issued";
    const requestId = isCrl ? crlRequestId : requestIdOf(event);
    const contentId = contentIdOf(event) ?? (isCrl ? subjectIdOf(event) : undefined);
    // An event that was made without a CRL is about none.
    if (requestId === undefined || (isCrl && contentId === undefined)) return undefined;
    const ca = this.#numberOf(event);
    if (ca === undefined) return undefined;
    return {
      requestId,
      kind,
      contentId,
      timeSeconds: Number.isFinite(recordedMs) ? Math.floor(recordedMs / 1000) : 0,
      ca,
      isUnstored: isUnstored(event),
    };
  }

  /** `undefined` if there are too many. */
  #numberOf({ data }: CertwireEvent): number | undefined {
    const ca = objectOf(data["ca"]);
    // Somebody else may have written them, and each is kept.
    const name = (textOf(ca["sanitizedCaName"]) || textOf(ca["name"])).slice(0, maxNameLength);
    const sha256 = textOf(ca["certificateSha256"]);
    const certificate = certificateForm.test(sha256) ? sha256 : "";
    const key = keyOfCa({ name, certificate });
    const known = this.#numbers.get(key);
    if (known !== undefined || this.cas.length >= maxCas) return known;
    this.#numbers.set(key, this.cas.length);
    return this.cas.push({ name, certificate }) - 1;
  }
}

/** The request of an event by its partition key, which no sink redacts: `<CA id or source>:<request>`. */
function requestIdOf({ source, partitionkey }: CertwireEvent): number | undefined {
  const caId = source.replace(/^urn:certwire:ca:/, "");
  const owner = partitionkey.startsWith(`${source}:`) ? source : caId;
  const [, digits] = /^:(\d{1,10})$/.exec(partitionkey.slice(owner.length)) ?? [];
  const requestId = Number(digits);
  return digits !== undefined && requestId <= maxRequestId ? requestId : undefined;
}

function contentIdOf({ contentid }: CertwireEvent): string | undefined {
  return contentid !== undefined && contentIdForm.test(contentid) ? contentid : undefined;
}

function subjectIdOf({ subject }: CertwireEvent): string | undefined {
  return subject === undefined ? undefined : crlSubjectId(subject);
}

function isUnstored({ data }: CertwireEvent): boolean {
  const flags = objectOf(data["certificateProperties"])["generalFlags"];
  return Array.isArray(flags) && flags.includes("doNotPersistInDatabase");
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
