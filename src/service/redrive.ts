import { CertwireError } from "../errors/certwire-error.ts";
import type { CertwireEvent } from "../events/event.ts";
import { type PipelineTarget, pipelineTo } from "../pipeline/pipeline-to.ts";
import type { EventSource, RecordChunk, SourcedRecord } from "../sources/event-source.ts";
import { FailingIterator } from "../sources/failing-iterator.ts";
import type { DeadLetter } from "../state/dead-letter.ts";
import type { LetterName, RedrivenMarks } from "../state/redriven.ts";
import { mebibyte } from "../units.ts";

/** A dead letter that is published again, with its events. */
export interface LetterToSend extends LetterName {
  /** At least one. */
  readonly events: readonly CertwireEvent[];
  /** Bytes that it takes in its file, or a guess. */
  readonly bytes: number;
}

/** Parts of a redrive, and where the letters go now. */
export interface RedriveOptions extends PipelineTarget {
  /** The letters of one sink, each of them once. */
  readonly letters: AsyncIterable<LetterToSend>;
  readonly marks: RedrivenMarks;
}

/** What became of the letters of a redrive. */
export interface Redriven {
  /** Letters whose events the sink has acknowledged; they are marked. */
  readonly letters: number;
  readonly events: number;
  /** Letters that the sink refused once more; they stay as they are. */
  readonly refused: number;
  /** Why the first of them was refused. */
  readonly firstRefusal?: string;
}

/** A chunk ends after the letter that reaches one of these. */
const chunkLetters = 256;
const chunkBytes = 4 * mebibyte;

/** How long an event that the broker cannot route is tried, in s: someone waits at a terminal. */
const unroutableSeconds = 10;

/**
 * Publishes dead letters once more, each until the sink acknowledges it, refuses it as it did before, or the signal
 * is aborted. A letter is marked as soon as all of its events are acknowledged. Rejects with the error of the source or
 * of the marks; what was acknowledged by then is counted in neither.
 */
export async function redrive(options: RedriveOptions, signal: AbortSignal): Promise<Redriven> {
  const stop = new AbortController();
  const ledger = new Ledger(options.marks, () => stop.abort());
  const source = new LetterSource(options.letters, ledger);
  const limits = { ...options.limits, deadLetterAfterSeconds: unroutableSeconds };
  const pipeline = pipelineTo({ ...options, limits }, source, ledger);
  await pipeline.run(AbortSignal.any([signal, stop.signal]));
  source.throwIfFailed();
  ledger.throwIfFailed();
  return ledger.result;
}

/** Feeds letters to a pipeline, without positions: no checkpoint can move. */
class LetterSource implements EventSource {
  readonly #letters: FailingIterator<LetterToSend>;
  readonly #ledger: Ledger;

  constructor(letters: AsyncIterable<LetterToSend>, ledger: Ledger) {
    this.#letters = new FailingIterator(letters);
    this.#ledger = ledger;
  }

  async next(signal: AbortSignal): Promise<RecordChunk | null> {
    const records: SourcedRecord[] = [];
    let [isEnd, bytes] = [false, 0];
    while (records.length < chunkLetters && bytes < chunkBytes && !signal.aborted) {
      const letter = await this.#letters.next();
      isEnd = letter === undefined;
      if (letter === undefined) break;
      bytes += letter.bytes;
      this.#ledger.begin(letter);
      records.push({ position: null, events: letter.events });
    }
    return records.length === 0 ? null : { records, more: !isEnd };
  }

  close(): void {
    this.#letters.close();
  }

  throwIfFailed(): void {
    this.#letters.throwIfFailed();
  }
}

interface OpenLetter extends LetterName {
  /** Number of its events that are neither acknowledged nor refused. */
  left: number;
  isRefused: boolean;
}

/** Keeps count of the letters under way; takes the place of the pipeline's dead-letter file. */
class Ledger {
  /** The letters under way, by the ids of their events. */
  readonly #open = new Map<string, OpenLetter[]>();
  readonly #marks: RedrivenMarks;
  readonly #failed: () => void;
  #failure: CertwireError | undefined;
  #letters = 0;
  #events = 0;
  #refused = 0;
  #firstRefusal: string | undefined;

  /** `failed` is called when a mark cannot be written. */
  constructor(marks: RedrivenMarks, failed: () => void) {
    this.#marks = marks;
    this.#failed = failed;
  }

  /** A redrive has no file that could be full. */
  readonly fill = 0;

  get result(): Redriven {
    const [letters, events, refused] = [this.#letters, this.#events, this.#refused];
    const first = this.#firstRefusal;
    return { letters, events, refused, ...(first !== undefined && { firstRefusal: first }) };
  }

  begin({ sink, id, times, events }: LetterToSend): void {
    const letter = { sink, id, times, left: events.length, isRefused: false };
    for (const event of events) {
      this.#open.set(event.id, [...(this.#open.get(event.id) ?? []), letter]);
    }
  }

  /** Marks the letters that are done with these events. Never rejects; see `throwIfFailed`. */
  async acknowledged(events: readonly { readonly id: string }[]): Promise<void> {
    this.#events += events.length;
    const done = events.flatMap(({ id }) => this.#finish(id));
    if (this.#failure !== undefined) return;
    try {
      await this.#marks.add(done);
      this.#letters += done.length;
    } catch (cause) {
      const hint =
        "Events were published whose letters are not marked; the next redrive publishes them again.";
      const message = "cannot mark dead letters as redriven";
      this.#failure = new CertwireError("CERTWIRE_CHECKPOINT_FAILED", message, { cause, hint });
      this.#failed();
    }
  }

  /** Called by the pipeline for an event that was refused once more. */
  append({ event, message }: DeadLetter): Promise<void> {
    this.#firstRefusal ??= message;
    const [letter] = (event && this.#open.get(event.id)) ?? [];
    if (letter !== undefined) letter.isRefused = true;
    if (event !== undefined) this.#finish(event.id);
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  throwIfFailed(): void {
    if (this.#failure) throw this.#failure;
  }

  /** The letter of an event if this was its last one and none was refused. */
  #finish(id: string): LetterName[] {
    const [letter, ...others] = this.#open.get(id) ?? [];
    if (others.length > 0) this.#open.set(id, others);
    else this.#open.delete(id);
    if (letter === undefined) return [];
    letter.left -= 1;
    if (letter.left > 0) return [];
    if (letter.isRefused) this.#refused += 1;
    return letter.isRefused ? [] : [letter];
  }
}
