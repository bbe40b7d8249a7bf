import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { CertwireError } from "../errors/certwire-error.ts";
import type { EventOptions } from "../events/envelope.ts";
import type { CertwireEvent } from "../events/event.ts";
import type { EventFilter } from "../events/event-filter.ts";
import { findingEvent } from "../events/finding-event.ts";
import { directoryModes } from "../files/append-file.ts";
import { ignoreMissing } from "../files/existing.ts";
import { readLimitedText } from "../files/limited-text.ts";
import { replaceFile } from "../files/replace-file.ts";
import { pipelineTo } from "../pipeline/pipeline-to.ts";
import type { EventSource, RecordChunk, SourcedRecord } from "../sources/event-source.ts";
import type { DeadLetter, DeadLetters } from "../state/dead-letter.ts";
import { kibibyte } from "../units.ts";
import type { Pace } from "./pace.ts";
import type { ReportedFindings, ReportNumbers } from "./reported-findings.ts";
import type { ReconcileTarget } from "./target.ts";

/** Which reports are published, and how fast. */
export interface FindingsOptions {
  readonly reported: Pick<ReportedFindings, "after">;
  readonly place: FindingsPlace;
  readonly events: EventOptions;
  /** What the sink wants. */
  readonly filter: EventFilter;
  readonly pace: Pace;
}

/**
 * Publishes the reports that a sink does not have yet, until it has all or the signal is aborted. Each is sent again with
 * the same id only if the process dies before its acknowledgement is on disk. Rejects with CERTWIRE_CHECKPOINT_FAILED.
 */
export async function publishFindings(
  options: FindingsOptions,
  target: ReconcileTarget,
  signal: AbortSignal,
): Promise<void> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const ledger = new FindingsLedger(options.place, target.deadLetters, () => stop.abort());
  const pipeline = pipelineTo(target, new FindingsSource(options, ledger), ledger);
  // While what the sink has acknowledged cannot be kept, nothing more is sent that would be sent again.
  await options.place.keep();
  await pipeline.run(either);
  ledger.throwIfFailed();
}

const placeShape = z.object({
  version: z.literal(1),
  /** Number of the first report of the file that the reports are from. */
  first: z.int(),
  number: z.int().min(0),
});

/** Which reports a sink has: all up to a number. */
export class FindingsPlace {
  readonly #path: string;
  readonly #first: number;
  #number: number;
  /** The number that is on disk. */
  #kept: number;
  #tail: Promise<void> = Promise.resolve();

  private constructor(path: string, first: number, number: number) {
    this.#path = path;
    this.#first = first;
    this.#number = number;
    this.#kept = number;
  }

  /**
   * `numbers`: those of the reports. A place that is damaged, or is of reports whose file was deleted since, counts as none:
   * that costs duplicates only, with the same ids. Rejects with CERTWIRE_CHECKPOINT_FAILED.
   */
  static async open(path: string, numbers: ReportNumbers): Promise<FindingsPlace> {
    const { first } = numbers;
    const found = await readPlace(path);
    if (found === undefined) return new FindingsPlace(path, first, 0);
    const number = numberIn(found, numbers);
    if (number !== undefined) return new FindingsPlace(path, first, number);
    const place = new FindingsPlace(path, first, 0);
    // At once: the reports may reach the number that is there.
    await place.#write(0);
    return place;
  }

  /** Up to which the sink has acknowledged them. */
  get number(): number {
    return this.#number;
  }

  /** False if the number could not be written. */
  get isKept(): boolean {
    return this.#kept === this.#number;
  }

  /** Records that the sink has the reports up to a number, and keeps that. Rejects as `keep` does. */
  save(number: number): Promise<void> {
    this.#number = Math.max(this.#number, number);
    return this.keep();
  }

  /** Writes the number if it is not on disk. Rejects with CERTWIRE_CHECKPOINT_FAILED. */
  keep(): Promise<void> {
    const result = this.#tail.then(() => (this.isKept ? undefined : this.#write(this.#number)));
    this.#tail = result.catch(() => undefined);
    return result;
  }

  async #write(number: number): Promise<void> {
    const place = { version: 1, first: this.#first, number };
    try {
      await mkdir(dirname(this.#path), { recursive: true, mode: directoryModes.private });
      await replaceFile(this.#path, "private", [`${JSON.stringify(place)}\n`]);
    } catch (cause) {
      const message = `cannot write ${this.#path}`;
      throw new CertwireError("CERTWIRE_CHECKPOINT_FAILED", message, { cause });
    }
    this.#kept = number;
  }
}

/** `undefined` if there is none. */
async function readPlace(path: string): Promise<string | undefined> {
  try {
    return await readLimitedText(path, kibibyte).catch(ignoreMissing);
  } catch (cause) {
    // Too large.
    if (cause instanceof RangeError) return "";
    throw new CertwireError("CERTWIRE_CHECKPOINT_FAILED", `cannot read ${path}`, { cause });
  }
}

/** `undefined` for a number that no report of the file has had. */
function numberIn(text: string, { first, next }: ReportNumbers): number | undefined {
  try {
    const place = placeShape.parse(JSON.parse(text));
    return place.first === first && place.number < next ? place.number : undefined;
  } catch {
    return undefined;
  }
}

/** Events in one chunk: the less, the sooner a live event is noticed. */
const chunkEvents = 64;

/** Feeds reports to a pipeline, without positions: the checkpoint of the sink cannot move. Ends when there are no more. */
class FindingsSource implements EventSource {
  readonly #options: FindingsOptions;
  readonly #ledger: FindingsLedger;
  #last: number;

  constructor(options: FindingsOptions, ledger: FindingsLedger) {
    this.#options = options;
    this.#ledger = ledger;
    this.#last = options.place.number;
  }

  async next(signal: AbortSignal): Promise<RecordChunk | null> {
    const { reported, events, filter, pace } = this.#options;
    for (;;) {
      const reports = reported.after(this.#last).slice(0, chunkEvents);
      const last = reports.at(-1);
      if (last === undefined) return null;
      try {
        await pace.turn(signal);
      } catch (error) {
        if (signal.aborted) return null;
        throw error;
      }
      const records: SourcedRecord[] = [];
      for (const report of reports) {
        const event = findingEvent(report, events);
        if (!filter.wants(event)) continue;
        this.#ledger.begin(report.number, event);
        records.push({ position: null, events: [event] });
      }
      this.#last = last.number;
      await this.#ledger.reached(last.number);
      pace.sent(records.length);
      if (records.length > 0) return { records, more: false };
    }
  }

  close(): void {
    // Nothing is open.
  }
}

/** Remembers what was acknowledged. Takes the place of the dead-letter file, since a dead letter is not sent again. */
class FindingsLedger implements DeadLetters {
  readonly #place: FindingsPlace;
  readonly #deadLetters: DeadLetters;
  readonly #failed: () => void;
  /** Numbers of the reports under way, by the id of their event, in their order. */
  readonly #open = new Map<string, number>();
  #reached = 0;
  #failure: unknown;

  /** `failed`: called when what was acknowledged cannot be kept. */
  constructor(place: FindingsPlace, deadLetters: DeadLetters, failed: () => void) {
    this.#place = place;
    this.#deadLetters = deadLetters;
    this.#failed = failed;
  }

  get fill(): number {
    return this.#deadLetters.fill;
  }

  begin(number: number, { id }: CertwireEvent): void {
    this.#open.set(id, number);
  }

  /** All reports up to a number were begun, or are not wanted. Never rejects; see `throwIfFailed`. */
  async reached(number: number): Promise<void> {
    this.#reached = number;
    await this.#save();
  }

  /** Never rejects; see `throwIfFailed`. */
  async acknowledged(events: readonly Pick<CertwireEvent, "id">[]): Promise<void> {
    for (const { id } of events) this.#open.delete(id);
    await this.#save();
  }

  async append(letter: DeadLetter): Promise<void> {
    await this.#deadLetters.append(letter);
    if (letter.event !== undefined) await this.acknowledged([letter.event]);
  }

  close(): Promise<void> {
    return this.#deadLetters.close();
  }

  /** Throws why something could not be kept. */
  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #save(): Promise<void> {
    const [first] = this.#open.values();
    try {
      await this.#place.save(first === undefined ? this.#reached : first - 1);
    } catch (error) {
      this.#failure ??= error;
      this.#failed();
    }
  }
}
