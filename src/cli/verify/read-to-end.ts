import { setTimeout as delay } from "node:timers/promises";
import type { CompletenessPlace } from "../../consumer/completeness/completeness.ts";
import type { EventSource } from "../../consumer/event-source.ts";
import { silentLogger } from "../../consumer/logger.ts";
import type { ReceivedMessage } from "../../consumer/message.ts";
import { Session } from "../../consumer/session.ts";
import { CertwireError } from "../../errors/certwire-error.ts";
import type { ReadPlace } from "../../evidence/event-log.ts";

/** What a partition or stream holds when the reading starts. */
export interface Extent {
  /** `topic/partition`, or the stream. */
  readonly place: string;
  /** Offset of the oldest message. */
  readonly low: bigint;
  /** Offset after the newest message. */
  readonly high: bigint;
}

/** Takes what is read. */
export interface MessageTaker {
  /** How many messages may still be on their way. May take time that grows with them. */
  readonly holes: number;
  /** What there is to read, once that is known. */
  expect(extents: readonly Extent[]): void;
  /** The topic keeps only the newest event of each key. Called before the first message is added. */
  expectCompaction(): void;
  /** The extents again, after everything was read. */
  compare(before: readonly Extent[], after: readonly Pick<Extent, "place" | "low">[]): void;
  /** Takes a message, whatever it is. */
  add(
    message: Pick<ReceivedMessage, "headers" | "body">,
    where: ReadPlace,
    place?: CompletenessPlace,
  ): void;
  /** Resolves when there is space for more. */
  makeSpace(signal: AbortSignal): Promise<void>;
}

/** Says that everything before an offset is read, also if the last of it are not messages. */
export type Passed = (place: string, next: bigint) => void;

/** Something to read to its end. */
export interface Readable {
  readonly extents: readonly Extent[];
  /** Gives the messages of all extents. `passed` may be called for what is not a message. */
  readonly source: (passed: Passed) => EventSource;
}

/** Longest time without a message before the end, in ms. */
const silenceMs = 60_000;
/** How often holes are counted while events may be on their way, in ms. */
const countMs = 500;
/** With more holes than this counting them often is no use. */
const manyHoles = 1000;
/** Longest wait for a source to stop after an error, in ms. */
const stopMs = 5000;

/**
 * Reads each message that lies in the extents, once. If there are holes then, what arrives in the next `waitMs` may
 * fill them: the service publishes to several partitions at a time. Ends early if the signal is aborted. Rejects with
 * a CertwireError, CERTWIRE_CONSUMER_UNREACHABLE if the broker gives no message for a minute.
 */
export async function readToEnd(
  { extents, source }: Readable,
  taker: MessageTaker,
  waitMs: number,
  signal: AbortSignal,
): Promise<void> {
  taker.expect(extents);
  if (extents.every(({ low, high }) => high <= low)) return;
  const reading = new Reading(extents, taker);
  const stop = new AbortController();
  const end = AbortSignal.any([signal, stop.signal]);
  const running = source((place, next) => reading.pass(place, next)).run({
    log: silentLogger,
    signal: end,
    stopTimeoutMs: 1000,
    openSession: () => new Session(),
    deliver: async (message) => {
      if (!end.aborted) reading.take(message);
      await taker.makeSpace(end);
      return "handled";
    },
  });
  const stopped = running.catch(() => undefined);
  try {
    await Promise.race([running, reading.untilEnd(end)]);
    await Promise.race([running, settle(taker, waitMs, end)]);
  } finally {
    stop.abort();
    await Promise.race([stopped, delay(stopMs, undefined, { ref: false })]);
  }
}

/** Waits while there are holes, at most `waitMs`. */
async function settle(taker: MessageTaker, waitMs: number, signal: AbortSignal): Promise<void> {
  const until = performance.now() + waitMs;
  for (let holes = taker.holes; holes > 0 && !signal.aborted; ) {
    const leftMs = until - performance.now();
    if (leftMs <= 0) return;
    const pauseMs = holes > manyHoles ? leftMs : Math.min(leftMs, countMs);
    await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    holes = taker.holes;
  }
}

class Reading {
  readonly #extents: ReadonlyMap<string, Extent>;
  readonly #taker: MessageTaker;
  /** Of each place, the next offset. */
  readonly #next: Map<string, bigint>;
  /** Places that are not read to their end. */
  readonly #open: Set<string>;
  readonly #end = new AbortController();
  #lastAt = performance.now();

  constructor(extents: readonly Extent[], taker: MessageTaker) {
    this.#extents = new Map(extents.map((extent) => [extent.place, extent]));
    this.#next = new Map(extents.map(({ place, low }) => [place, low]));
    const filled = extents.filter(({ low, high }) => high > low);
    this.#open = new Set(filled.map(({ place }) => place));
    this.#taker = taker;
  }

  /** Takes a message unless it is delivered again after a lost connection. */
  take({ place: where, headers, body }: ReceivedMessage): void {
    const at = where.lastIndexOf("@");
    const [place, offset] = [where.slice(0, at), BigInt(where.slice(at + 1))];
    if (offset < (this.#next.get(place) ?? 0n)) return;
    const { low, high } = this.#extents.get(place) ?? { low: 0n, high: 0n };
    const truncated = low > 0n ? { truncatedPartition: place } : {};
    const position = { name: `${place}@`, at: Number(offset) };
    this.#taker.add({ headers, body }, position, offset < high ? truncated : { isLate: true });
    this.pass(place, offset + 1n);
  }

  /** Goes on to an offset. */
  pass(place: string, next: bigint): void {
    this.#lastAt = performance.now();
    if (next <= (this.#next.get(place) ?? 0n)) return;
    this.#next.set(place, next);
    if (next >= (this.#extents.get(place)?.high ?? 0n)) this.#open.delete(place);
    if (this.#open.size === 0) this.#end.abort();
  }

  /** Resolves when all is read, or the signal is aborted. Rejects after too long a time without a message. */
  async untilEnd(signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([signal, this.#end.signal]);
    while (!either.aborted) {
      if (performance.now() - this.#lastAt >= silenceMs) throw this.#silent();
      await delay(1000, undefined, { signal: either }).catch(() => undefined);
    }
  }

  #silent(): CertwireError {
    const [place = "", ...others] = this.#open;
    const first = `${place} from offset ${this.#next.get(place)}`;
    const more = others.length > 0 ? `, and of ${others.length} more` : "";
    const message = `the broker gives no more messages of ${first}${more}`;
    return new CertwireError("CERTWIRE_CONSUMER_UNREACHABLE", message);
  }
}
