import type { EventOptions } from "../events/envelope.ts";
import type { CertwireEvent, EventKind } from "../events/event.ts";
import type { EventFilter } from "../events/event-filter.ts";
import type { EventSource, RecordChunk, SourcedRecord } from "../sources/event-source.ts";
import { FailingIterator } from "../sources/failing-iterator.ts";
import type { DeadLetter, DeadLetters } from "../state/dead-letter.ts";
import type { BackfillPlace } from "./backfill-place.ts";
import type { ContentIndex, IndexEntry } from "./content-index.ts";
import {
  type MissingEvent,
  type MissingOptions,
  missingCrls,
  missingParts,
} from "./missing-events.ts";
import type { Pace } from "./pace.ts";
import type { RunFile } from "./run-file.ts";

/** What a backfill would publish. */
export interface BackfillPlan {
  /** Requests of which something is missing. */
  readonly requests: number;
  readonly crls: number;
  readonly events: number;
  /** Events of each kind. */
  readonly kinds: Readonly<Partial<Record<EventKind, number>>>;
  /** Events about what happened before what the journal covers. */
  readonly history: number;
}

/** Called with the request up to which the database was read. */
export type BackfillProgress = (requestId: number) => void;

/** Counts what a backfill would publish to a sink that wants every event, from the state of the database now. Rejects as `missingParts`. */
export async function planBackfill(
  options: MissingOptions,
  after: number,
  progress: BackfillProgress,
  signal: AbortSignal,
): Promise<BackfillPlan> {
  const kinds: Partial<Record<EventKind, number>> = {};
  let [requests, crls, events, history] = [0, 0, 0, 0];
  for await (const part of missingParts(options, after, signal)) {
    requests += part.requests.length;
    for (const { facts, class: found } of part.requests) {
      events += facts.length;
      if (found === "history") history += facts.length;
      for (const { kind } of facts) kinds[kind] = (kinds[kind] ?? 0) + 1;
    }
    progress(part.requests.at(-1)?.requestId ?? part.lastRequest);
  }
  for await (const { class: found } of missingCrls(options, signal)) {
    crls += 1;
    if (found === "history") history += 1;
  }
  if (crls > 0) kinds["crl.issued"] = crls;
  return { requests, crls, events: events + crls, kinds, history };
}

/** How what is missing becomes events. */
export interface BackfillOptions extends MissingOptions {
  readonly events: EventOptions;
  /** What the sink wants. */
  readonly filter: EventFilter;
  readonly pace: Pace;
  readonly place: BackfillPlace;
  readonly run: RunFile;
  readonly progress: BackfillProgress;
}

type Step =
  | { readonly missing: readonly MissingEvent[]; readonly endsChunk?: true }
  | { readonly doneTo: number };

/** Events in one chunk: the less, the sooner a live event is noticed. */
const chunkEvents = 64;

/** Feeds what is missing to a pipeline, without positions: the checkpoint of the sink cannot move. */
export class BackfillSource implements EventSource {
  readonly #steps: FailingIterator<Step>;
  readonly #options: BackfillOptions;
  readonly #ledger: BackfillLedger;

  constructor(
    options: BackfillOptions,
    after: number,
    ledger: BackfillLedger,
    signal: AbortSignal,
  ) {
    this.#options = options;
    this.#ledger = ledger;
    this.#steps = new FailingIterator(stepsOf(options, after, signal));
  }

  async next(signal: AbortSignal): Promise<RecordChunk | null> {
    const { pace, filter } = this.#options;
    const records: SourcedRecord[] = [];
    try {
      await pace.turn(signal);
    } catch (error) {
      if (signal.aborted) return null;
      throw error;
    }
    while (records.length < chunkEvents && !signal.aborted) {
      const step = await this.#steps.next();
      if (step === undefined) break;
      if ("doneTo" in step) {
        await this.#ledger.reached(step.doneTo);
        // What was found is sent before the next part is read, which may take long.
        if (records.length > 0) break;
        continue;
      }
      for (const missing of step.missing) {
        if (!filter.wants(missing.event)) continue;
        this.#ledger.begin(missing);
        records.push({ position: null, events: [missing.event] });
      }
      if (step.endsChunk && records.length > 0) break;
    }
    pace.sent(records.length);
    return records.length === 0 ? null : { records, more: false };
  }

  close(): void {
    this.#steps.close();
  }

  /** Throws the error that ended the source, if there was one. Call it after the pipeline has stopped. */
  throwIfFailed(): void {
    this.#steps.throwIfFailed();
  }
}

async function* stepsOf(
  options: BackfillOptions,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<Step> {
  const { database, events, progress } = options;
  for await (const { requests, lastRequest, eventsOf } of missingParts(options, after, signal)) {
    const ids = requests.map(({ requestId }) => requestId);
    for await (const row of database.rows(ids, signal)) {
      yield { missing: eventsOf(row, events) };
      progress(row.context);
    }
    yield { doneTo: lastRequest };
    progress(lastRequest);
  }
  for await (const { eventOf } of missingCrls(options, signal)) {
    const missing = eventOf(events);
    // A CRL may have many megabytes: one at a time.
    if (missing !== undefined) yield { missing: [missing], endsChunk: true };
  }
}

/** A request that is done once some events are finished. */
interface Mark {
  readonly request: number;
  readonly open: Set<string>;
}

/** Remembers what was acknowledged, and up to which request everything is. The pipeline writes its dead letters through it. */
export class BackfillLedger implements DeadLetters {
  readonly #published: ContentIndex;
  readonly #place: BackfillPlace;
  readonly #deadLetters: DeadLetters;
  readonly #failed: () => void;
  /** Events under way, by their id. */
  readonly #open = new Map<string, IndexEntry>();
  readonly #marks: Mark[] = [];
  #failure: unknown;
  #acknowledged = 0;
  #buried = 0;

  /** `failed`: called when what was acknowledged cannot be kept. */
  constructor(
    { published, place }: Pick<BackfillOptions, "published" | "place">,
    deadLetters: DeadLetters,
    failed: () => void,
  ) {
    this.#published = published;
    this.#place = place;
    this.#deadLetters = deadLetters;
    this.#failed = failed;
  }

  get fill(): number {
    return this.#deadLetters.fill;
  }

  /** Events that the sink has acknowledged. */
  get acknowledgedEvents(): number {
    return this.#acknowledged;
  }

  /** Events that it has refused. */
  get buriedEvents(): number {
    return this.#buried;
  }

  begin({ event, entry }: MissingEvent): void {
    this.#open.set(event.id, entry);
  }

  /** All events up to a request were begun. */
  async reached(request: number): Promise<void> {
    this.#marks.push({ request, open: new Set(this.#open.keys()) });
    await this.#keeping(() => this.#savePlace());
  }

  /** Never rejects; see `throwIfFailed`. */
  async acknowledged(events: readonly Pick<CertwireEvent, "id">[]): Promise<void> {
    this.#acknowledged += events.length;
    for (const { id } of events) {
      const entry = this.#open.get(id);
      if (entry !== undefined) this.#published.add(entry);
    }
    await this.#keeping(async () => {
      await this.#published.write();
      await this.#finish(events.map(({ id }) => id));
    });
  }

  /** The sink does not take an event: its letter is written, and the next backfill tries it again. */
  async append(letter: DeadLetter): Promise<void> {
    await this.#deadLetters.append(letter);
    this.#buried += 1;
    const { event } = letter;
    if (event !== undefined) await this.#keeping(() => this.#finish([event.id]));
  }

  close(): Promise<void> {
    return this.#deadLetters.close();
  }

  /** Throws why something could not be kept. */
  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #finish(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      this.#open.delete(id);
      for (const { open } of this.#marks) open.delete(id);
    }
    await this.#savePlace();
  }

  async #savePlace(): Promise<void> {
    let done: number | undefined;
    while (this.#marks[0]?.open.size === 0) done = this.#marks.shift()?.request;
    if (done !== undefined) await this.#place.save(done);
  }

  async #keeping(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.#failure ??= error;
      this.#failed();
    }
  }
}
