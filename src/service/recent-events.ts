import { kindOfRecord } from "../events/event-kind.ts";
import { shownTemplate } from "../events/shown-template.ts";
import { shownText } from "../events/shown-text.ts";
import { filetimeText } from "../events/times.ts";
import { revocationReasons } from "../events/words/enumerations.ts";
import { hresultHex, hresultSymbol } from "../events/words/hresult.ts";
import { decodeGap } from "../exit/decode-gap.ts";
import { decodeRecord } from "../exit/decode-record.ts";
import type { ExitRecord, RecordValue } from "../exit/record.ts";
import { frameTypes, type JournalFrame } from "../journal/frame.ts";
import type { JournalPosition } from "../journal/position.ts";
import { listSegments, startOf } from "../journal/segments.ts";
import { WholeJournal } from "../journal/whole-journal.ts";
import type { NativeSegment } from "../native/addon.ts";

/** A record of the journal at a glance. Its texts are data of others: at most 200 characters each, not escaped. */
export interface RecentEvent {
  /** Epoch id, sequence and index of its frame. */
  readonly id: string;
  /** When it was recorded, RFC 3339. */
  readonly time: string;
  /** A kind of event, or `undecodable`. */
  readonly kind: string;
  readonly requestId?: string;
  /** As `shownTemplate`. */
  readonly template?: string;
  readonly serialNumber?: string;
  /** Reason of a revocation, a refusal or a gap; which CRLs. */
  readonly detail?: string;
  /** Names of people and machines, for those who asked for them. */
  readonly names?: { readonly requester?: string; readonly subject?: string };
}

/** How many are kept. */
const maxEvents = 50;
/** Characters of a text that are shown. */
const maxCharacters = 200;
/** How much is read of what has come since the last time: chunks of 1000 frames or 1 MiB. */
const maxChunks = 4;

/** Where the newest records are taken from. */
export interface RecentEventsOptions {
  /** Journal directory. */
  readonly directory: string;
  /** The newest frame that somebody else has read. */
  readonly newest: () => JournalFrame | undefined;
}

/**
 * The newest records of a journal, read when they are asked for. The first time reads up to two segments. Later, when
 * more has come than is worth reading for a list, it starts over at the newest frame that is known, so no record is missing between two.
 */
export class RecentEvents {
  readonly #options: RecentEventsOptions;
  #position: JournalPosition | undefined;
  #events: readonly RecentEvent[] = [];
  #reading: Promise<readonly RecentEvent[]> | undefined;

  constructor(options: RecentEventsOptions) {
    this.#options = options;
  }

  /** The newest 50 records at most, the newest first. Rejects with CERTWIRE_JOURNAL_UNREADABLE. */
  read(): Promise<readonly RecentEvent[]> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<readonly RecentEvent[]> {
    const { directory, newest } = this.#options;
    const position = this.#position ?? (await recentStart(directory));
    let found = await framesAfter(directory, position, this.#position && maxChunks);
    if (!found.isAtEnd) {
      const frame = newest();
      found = await framesAfter(directory, frame?.position, maxChunks);
      this.#events = [];
      if (frame !== undefined) found.frames.unshift(frame);
    }
    this.#position = found.frames.at(-1)?.position ?? position;
    const added = found.frames.slice(-maxEvents).map(recentEvent);
    // A journal that was restored from a copy is read once more.
    const known = new Set(added.map(({ id }) => id));
    const before = this.#events.filter(({ id }) => !known.has(id));
    this.#events = [...added.toReversed(), ...before].slice(0, maxEvents);
    return this.#events;
  }
}

/** How many segments are read at most to find `maxEvents` records. */
const maxSegments = 4;

/** The start of the segment from which at least `maxEvents` numbers follow, as far as the newest segments show it. */
async function recentStart(directory: string): Promise<JournalPosition | undefined> {
  const segments = (await listSegments(directory)).slice(-maxSegments);
  const newest = segments.at(-1);
  // The newest one may have just begun, so it counts for nothing; numbers begin anew with each epoch.
  const isFarEnough = ({ epochId, firstSequence }: NativeSegment): boolean =>
    epochId === newest?.epochId && newest.firstSequence - firstSequence >= BigInt(maxEvents);
  const segment = segments.findLast(isFarEnough) ?? segments[0];
  return segment && startOf(segment);
}

interface FramesFound {
  /** The last `maxEvents` of them. */
  readonly frames: JournalFrame[];
  readonly isAtEnd: boolean;
}

async function framesAfter(
  directory: string,
  position: JournalPosition | undefined,
  limit = Number.POSITIVE_INFINITY,
): Promise<FramesFound> {
  if (position === undefined) return { frames: [], isAtEnd: true };
  const journal = new WholeJournal(directory, position);
  let [frames, chunks]: [JournalFrame[], number] = [[], 0];
  try {
    for await (const chunk of journal.chunks(new AbortController().signal)) {
      frames = [...frames, ...chunk.slice(-maxEvents)].slice(-maxEvents);
      chunks += 1;
      if (chunks === limit) return { frames, isAtEnd: false };
    }
    return { frames, isAtEnd: true };
  } finally {
    journal.close();
  }
}

/** A frame at a glance. Never throws. */
export function recentEvent(frame: JournalFrame): RecentEvent {
  const { epochId, sequence, index, time, type, payload } = frame;
  const head = { id: `${epochId}-${sequence}-${index}`, time: filetimeText(time) };
  try {
    if (type === frameTypes.gap) {
      const { reason, count } = decodeGap(payload);
      const events = count === undefined ? "" : `, ${count} events`;
      return { ...head, kind: "journal.gap", detail: limited(`${reason}${events}`) };
    }
    return { ...head, ...glance(decodeRecord(payload)) };
  } catch {
    return { ...head, kind: "undecodable" };
  }
}

function glance(record: ExitRecord): Omit<RecentEvent, "id" | "time"> {
  const { request, certificate } = record;
  const requestId = numberText(request.get("RequestID"));
  const template = templateOf(record);
  const serialNumber = text(certificate.get("SerialNumber"));
  const requester = text(request.get("RequesterName"));
  const subject =
    text(certificate.get("DistinguishedName")) ?? text(request.get("DistinguishedName"));
  const kind = kindOfRecord(record);
  const detail = detailOf(kind, record);
  const names = { ...(requester && { requester }), ...(subject && { subject }) };
  return {
    kind,
    ...(requestId && { requestId }),
    ...(template && { template }),
    ...(serialNumber && { serialNumber }),
    ...(detail && { detail }),
    ...(Object.keys(names).length > 0 && { names }),
  };
}

function templateOf({ certificate, attributes }: ExitRecord): string | undefined {
  const [, requested] = attributes.find(([name]) => name === "CertificateTemplate") ?? [];
  return shownTemplate(
    text(certificate.get("CertificateTemplate")),
    typeof requested === "string" ? text(requested) : undefined,
  );
}

function detailOf(kind: string, { request, crls }: ExitRecord): string | undefined {
  if (crls.length > 0) {
    return `${[...new Set(crls.map((crl) => crl.kind))].join(" and ")} CRL`;
  }
  if (kind === "certificate.revoked") {
    const reason = request.get("RevokedReason");
    const words: Readonly<Record<number, string>> = revocationReasons;
    return typeof reason === "number" ? (words[reason] ?? `reason ${reason}`) : undefined;
  }
  if (kind !== "request.denied" && kind !== "request.failed") return undefined;
  const code = request.get("StatusCode");
  return typeof code === "number" ? (hresultSymbol(code) ?? hresultHex(code)) : undefined;
}

function numberText(value: RecordValue | undefined): string | undefined {
  return typeof value === "number" || typeof value === "bigint" ? String(value) : undefined;
}

/** A text of the CA; nothing for a value of another type, or one that the exit module cut. */
function text(value: RecordValue | undefined): string | undefined {
  if (typeof value === "string") return limited(value);
  if (typeof value !== "object" || !("utf16" in value)) return undefined;
  return limited(shownText(value).text);
}

function limited(whole: string): string {
  const characters = Array.from(whole.slice(0, 2 * maxCharacters + 2));
  if (characters.length <= maxCharacters) return whole;
  return `${characters.slice(0, maxCharacters).join("")}…`;
}
