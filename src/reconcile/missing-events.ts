import { type CrlFact, crlRowEvent } from "../events/crl-row-event.ts";
import type { EventOptions } from "../events/envelope.ts";
import type { CertwireEvent } from "../events/event.ts";
import { rowEvents, rowFacts, type ScannedFact } from "../events/row-events.ts";
import { unixMsOf } from "../events/times.ts";
import type { ExitRecord } from "../exit/record.ts";
import type { NativeCaFacts } from "../native/ca-database.ts";
import type { BackfillSelection } from "./backfill-place.ts";
import { type CrlClass, CrlComparison, crlPart } from "./compare-crls.ts";
import { type ComparisonLimits, compareRow, type RequestClass } from "./compare-row.ts";
import { type ContentIndex, crlRequestId, type IndexEntry, isIndexed } from "./content-index.ts";
import { type Compared, walkDatabase } from "./walk-database.ts";

/** Where what is missing is looked for. */
export interface MissingOptions extends Compared {
  readonly facts: NativeCaFacts;
  /** What was published before. */
  readonly published: ContentIndex;
  readonly selection: BackfillSelection;
  /** How long before a row was read something may have happened that is not in the journal yet, in ms. */
  readonly settleMs: number;
}

/** What is missing of a request. */
export interface MissingRequest {
  readonly requestId: number;
  readonly class: RequestClass;
  readonly facts: readonly ScannedFact[];
}

/** Some thousand requests. */
export interface MissingPart {
  /** All requests up to this were read. */
  readonly lastRequest: number;
  readonly requests: readonly MissingRequest[];
  /** What is missing of a row that was read again, as events; none if it is no longer missing. */
  readonly eventsOf: (row: ExitRecord, options: EventOptions) => MissingEvent[];
}

/** An event to publish, and how it is remembered then. */
export interface MissingEvent {
  readonly event: CertwireEvent;
  readonly entry: IndexEntry;
}

/** Classes of which the missing part is published; that of `changed` is not: two certificates contradict each other. */
const published: ReadonlySet<RequestClass> = new Set(["missing", "state", "history"]);

/** What neither the journal has nor a backfill has published, by rising RequestID. Rejects as `walkDatabase`. */
export async function* missingParts(
  options: MissingOptions,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<MissingPart> {
  const { facts } = options;
  let lastRequest = after;
  for await (const { part, rows, entries, knownUntilMs } of walkDatabase(
    options,
    { facts, after },
    signal,
  )) {
    const done = await options.published.read(part);
    const known = (id: number): IndexEntry[] => [
      ...(entries.byRequest.get(id) ?? []),
      ...(done.get(id) ?? []),
    ];
    const limits = { knownUntilMs, otherNames: entries.otherNames };
    const missing = (row: ExitRecord) => missingOf(row, known(row.context), limits, options);
    // A row that comes into this part meanwhile is for the next run.
    lastRequest = rows.at(-1)?.context ?? lastRequest;
    yield {
      lastRequest,
      requests: rows.map(missing).filter((request) => request.facts.length > 0),
      eventsOf: (row, eventOptions) => {
        const wanted = new Set(missing(row).facts.map(keyOf));
        // Both are in the order in which it happened, one event for each fact.
        const events = rowEvents(row, eventOptions);
        return rowFacts(row).flatMap((fact, index) => {
          const event = events[index];
          const isWanted = event !== undefined && wanted.has(keyOf(fact)) && isIndexed(fact.kind);
          return isWanted ? [{ event, entry: entryOf(fact, row.context) }] : [];
        });
      },
    };
  }
}

/** A CRL that is missing. */
export interface MissingCrl {
  readonly class: CrlClass;
  /** `undefined` if it holds nothing that an event can be made of. */
  readonly eventOf: (options: EventOptions) => MissingEvent | undefined;
}

/** Classes of CRLs that are published. */
const publishedCrls: ReadonlySet<CrlClass> = new Set(["missing", "partition", "history"]);

/** The CRLs that neither the journal has nor a backfill has published. Rejects as `CrlComparison.rows`. */
export async function* missingCrls(
  options: MissingOptions,
  signal: AbortSignal,
): AsyncGenerator<MissingCrl> {
  const { untilMs = Number.POSITIVE_INFINITY } = options.selection;
  const done = (await options.published.read(crlPart)).get(crlRequestId) ?? [];
  const comparison = new CrlComparison({ ...options, published: done });
  for await (const { class: found, fact, row } of comparison.rows(signal)) {
    if (!publishedCrls.has(found) || (fact.timeMs ?? 0) >= untilMs) continue;
    yield {
      class: found,
      eventOf: (eventOptions) => {
        const event = crlRowEvent(row, eventOptions);
        return event && { event, entry: crlEntry(fact) };
      },
    };
  }
}

function crlEntry({ contentId, timeMs = 0 }: CrlFact): IndexEntry {
  const timeSeconds = Math.max(0, Math.floor(timeMs / 1000));
  return {
    requestId: crlRequestId,
    kind: "crl.issued",
    contentId,
    timeSeconds,
    ca: 0,
    isUnstored: false,
  };
}

function missingOf(
  row: ExitRecord,
  known: readonly IndexEntry[],
  limits: Pick<ComparisonLimits, "knownUntilMs" | "otherNames">,
  { contents, settleMs, selection: { untilMs } }: MissingOptions,
): MissingRequest {
  const { coveredSinceMs, noun } = contents;
  const readMs = unixMsOf(row.time);
  const comparison = compareRow(row, known, { ...limits, readMs, settleMs, coveredSinceMs, noun });
  const facts = published.has(comparison.class) ? comparison.missing : [];
  const isWanted = ({ timeMs }: ScannedFact) => untilMs === undefined || (timeMs ?? 0) < untilMs;
  return { requestId: row.context, class: comparison.class, facts: facts.filter(isWanted) };
}

function keyOf({ kind, contentId = "" }: ScannedFact): string {
  return `${kind} ${contentId}`;
}

function entryOf({ kind, contentId, timeMs = 0 }: ScannedFact, requestId: number): IndexEntry {
  if (!isIndexed(kind)) throw new TypeError(`a row does not stand for ${kind}`);
  const timeSeconds = Math.max(0, Math.floor(timeMs / 1000));
  return { requestId, kind, contentId, timeSeconds, ca: 0, isUnstored: false };
}
