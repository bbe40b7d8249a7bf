import { CertwireError } from "../../errors/certwire-error.ts";
import { describeError } from "../../errors/describe-error.ts";
import { within } from "../../waiting.ts";
import { backOffMs } from "../back-off.ts";
import type { ConsumerLogger } from "../logger.ts";
import { stopAnswerTimeoutMs } from "./connection.ts";
import type { OffsetStore } from "./offset-store.ts";

/**
 * Where a consumer without a place begins: at the oldest message, after the newest one, or at a time. "next" is found out
 * once and kept like a place, so a lost connection leaves nothing out.
 */
export type StreamStart = "first" | "next" | Date;

/** The place before the first message of a stream. */
const beforeFirst = -1n;

/** How often the place is saved while it moves, in ms, and how long after a failure. */
const saveIntervalMs = 1000;
const afterFailure = { limit: Number.POSITIVE_INFINITY, initialMs: 1000, maxMs: 30_000 };

/**
 * The place of a consumer in a stream: one for all its channels, so that a handler of an earlier channel cannot move it
 * back. It is saved soon after it has moved, one save at a time.
 */
export class StreamPlace {
  readonly #offsets: OffsetStore;
  readonly #log: ConsumerLogger;
  readonly #start: StreamStart;
  #isLoaded = false;
  #offset: bigint | undefined;
  /** What the store has. */
  #saved: bigint | undefined;
  /** Streams of that name so far: offsets of an earlier one mean nothing in the next. */
  #streams = 1;
  #timer: NodeJS.Timeout | undefined;
  #saving: Promise<void> = Promise.resolve();
  #failures = 0;
  #isEnded = false;

  constructor(offsets: OffsetStore, start: StreamStart, log: ConsumerLogger) {
    this.#offsets = offsets;
    this.#start = start;
    this.#log = log;
  }

  /**
   * Offset of the last message that is handled, with all before it; -1n before the first message of the stream, and
   * `undefined` while only `start` says where the consumer begins.
   */
  get offset(): bigint | undefined {
    return this.#offset;
  }

  /** Where the consumer begins while `offset` is undefined. */
  get start(): StreamStart {
    return this.#start;
  }

  /** Reads the place from the store, once. Rejects with what the store throws. */
  async load(): Promise<void> {
    if (this.#isLoaded) return;
    this.#saved = await this.#offsets.load();
    this.#offset = this.#saved;
    this.#isLoaded = true;
  }

  /** Begins after a message, or at the first one if there is none, also on the channels and in the runs to come. */
  beginAfter(offset: bigint | undefined): void {
    this.#move(offset ?? beforeFirst);
  }

  /** Begins at the first message of another stream of that name, also in the runs to come. */
  beginAgain(): void {
    this.#streams += 1;
    this.#offset = beforeFirst;
    this.#saveSoon();
  }

  /** How a new channel moves the place: to the last of its contiguous handled messages. */
  mover(): (offset: bigint) => void {
    const stream = this.#streams;
    return (offset) => {
      if (stream === this.#streams) this.#move(offset);
    };
  }

  /** Saves the place now. Rejects with what the store throws, or CERTWIRE_OFFSETS_FAILED if it takes too long. */
  async save(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const saving = this.#saving.then(() => this.#write());
    this.#saving = saving.catch(() => undefined);
    const late = `the offset was not saved within ${stopAnswerTimeoutMs / 1000} s`;
    await within(
      saving,
      stopAnswerTimeoutMs,
      () => new CertwireError("CERTWIRE_OFFSETS_FAILED", late),
    );
  }

  /** The same; a failure is logged, and tried again later unless the place has ended. Never rejects. */
  async trySave(): Promise<void> {
    try {
      await this.save();
      this.#failures = 0;
    } catch (error) {
      this.#failures += 1;
      this.#log.error(describeError(error), "the place in the stream is not saved");
    }
    // It may have moved meanwhile.
    this.#saveSoon();
  }

  /** The consumer stops: saves what is not saved. Never rejects. */
  async end(): Promise<void> {
    this.#isEnded = true;
    if (this.#isMoved) await this.trySave();
  }

  get #isMoved(): boolean {
    return this.#offset !== undefined && this.#offset !== this.#saved;
  }

  #move(offset: bigint): void {
    if (this.#offset !== undefined && offset <= this.#offset) return;
    this.#offset = offset;
    this.#saveSoon();
  }

  #saveSoon(): void {
    if (!this.#isMoved || (this.#isEnded && this.#failures > 0)) return;
    this.#timer ??= setTimeout(() => void this.trySave(), this.#delayMs());
  }

  #delayMs(): number {
    if (this.#isEnded) return 0;
    return this.#failures === 0 ? saveIntervalMs : backOffMs(this.#failures, afterFailure);
  }

  async #write(): Promise<void> {
    const offset = this.#offset;
    if (offset === undefined || offset === this.#saved) return;
    await this.#offsets.save(offset);
    this.#saved = offset;
  }
}
