import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { CertwireError } from "../errors/certwire-error.ts";
import type { EventOptions } from "../events/envelope.ts";
import type { CertwireEvent } from "../events/event.ts";
import type { EventFilter } from "../events/event-filter.ts";
import { findingEvent } from "../events/finding-event.ts";
import type { ShrinkEvent } from "../events/outbound-event.ts";
import type { Redactor } from "../events/redaction/redactor.ts";
import type { Router } from "../events/router.ts";
import { directoryModes } from "../files/append-file.ts";
import { ignoreMissing } from "../files/existing.ts";
import { readLimitedText } from "../files/limited-text.ts";
import { replaceFile } from "../files/replace-file.ts";
import type { PipelineLimits } from "../pipeline/limits.ts";
import type { PipelineMonitor } from "../pipeline/monitor.ts";
import { ObservedSink } from "../pipeline/observed-sink.ts";
import { Pipeline } from "../pipeline/pipeline.ts";
import type { Sink } from "../sinks/sink.ts";
import type { EventSource, RecordChunk, SourcedRecord } from "../sources/event-source.ts";
import type { DeadLetter, DeadLetters } from "../state/dead-letter.ts";
import { kibibyte } from "../units.ts";
import type { Pace } from "./pace.ts";
import type { ReportedFindings } from "./reported-findings.ts";

/** Which reports are published, and how fast. */
export interface FindingsOptions {
  readonly reported: Pick<ReportedFindings, "after">;
  readonly place: FindingsPlace;
  readonly events: EventOptions;
  /** What the sink wants. */
  readonly filter: EventFilter;
  readonly pace: Pace;
}

/** Where they go. */
export interface FindingsTarget {
  /** Not opened yet. */
  readonly sink: Sink;
  readonly limits: PipelineLimits;
  readonly shrink: ShrinkEvent;
  /** What the sink does not show. Default: its events show everything. */
  readonly redactor?: Redactor | undefined;
  /** Where its events go. Default: to the sink's own destination. */
  readonly router?: Router | undefined;
  readonly deadLetters: DeadLetters;
  readonly monitor: PipelineMonitor;
}

/**
 * Publishes the reports that a sink does not have yet, until it has all or the signal is aborted. Each is sent again with
 * the same id if the process dies before its acknowledgement is on disk. Rejects with CERTWIRE_CHECKPOINT_FAILED.
 */
export async function publishFindings(
  options: FindingsOptions,
  { sink, limits, shrink, redactor, router, deadLetters, monitor }: FindingsTarget,
  signal: AbortSignal,
): Promise<void> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const ledger = new FindingsLedger(options.place, deadLetters, () => stop.abort());
  const pipeline = new Pipeline({
    source: new FindingsSource(options, ledger),
    sink: new ObservedSink(sink, (_name, events) => ledger.acknowledged(events)),
    limits,
    shrink,
    ...(redactor && { redactor }),
    ...(router && { router }),
    deadLetters: ledger,
    monitor,
  });
  await pipeline.run(either);
  ledger.throwIfFailed();
}

const placeShape = z.object({ version: z.literal(1), number: z.int().min(0) });

/** Which reports a sink has: all up to a number, which is on disk. */
export class FindingsPlace {
  readonly #path: string;
  #number: number;
  #tail: Promise<void> = Promise.resolve();

  private constructor(path: string, number: number) {
    this.#path = path;
    this.#number = number;
  }

  /** A damaged file costs duplicates only, with the same ids. Rejects with CERTWIRE_CHECKPOINT_FAILED. */
  static async open(path: string): Promise<FindingsPlace> {
    try {
      const text = await readLimitedText(path, kibibyte).catch(ignoreMissing);
      return new FindingsPlace(path, text === undefined ? 0 : numberIn(text));
    } catch (cause) {
      throw new CertwireError("CERTWIRE_CHECKPOINT_FAILED", `cannot read ${path}`, { cause });
    }
  }

  /** As it is on disk. */
  get number(): number {
    return this.#number;
  }

  /** Keeps that the sink has the reports up to this number. Rejects with CERTWIRE_CHECKPOINT_FAILED. */
  save(number: number): Promise<void> {
    const result = this.#tail.then(() => this.#save(number));
    this.#tail = result.catch(() => undefined);
    return result;
  }

  async #save(number: number): Promise<void> {
    if (number <= this.#number) return;
    try {
      await mkdir(dirname(this.#path), { recursive: true, mode: directoryModes.private });
      await replaceFile(this.#path, "private", [`${JSON.stringify({ version: 1, number })}\n`]);
    } catch (cause) {
      const message = `cannot write ${this.#path}`;
      throw new CertwireError("CERTWIRE_CHECKPOINT_FAILED", message, { cause });
    }
    this.#number = number;
  }
}

function numberIn(text: string): number {
  try {
    return placeShape.parse(JSON.parse(text)).number;
  } catch {
    return 0;
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
