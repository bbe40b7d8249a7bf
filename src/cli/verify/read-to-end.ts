import { setTimeout as delay } from "node:timers/promises";
import type { EventSource } from "../../consumer/event-source.ts";
import { silentLogger } from "../../consumer/logger.ts";
import type { ReceivedMessage } from "../../consumer/message.ts";
import { Session } from "../../consumer/session.ts";
import { CertwireError } from "../../errors/certwire-error.ts";
import type { Tally } from "./tally.ts";

/** What a partition or stream holds when the reading starts. */
export interface Extent {
  /** `topic/partition`, or the stream. */
  readonly place: string;
  /** Offset of the oldest message. */
  readonly low: bigint;
  /** Offset after the newest message. */
  readonly high: bigint;
}

/** Longest time without a message before the end, in ms. */
const silenceMs = 60_000;

/**
 * Reads each message that lies in the extents, once. Ends early if the signal is aborted. Rejects with a CertwireError,
 * CERTWIRE_CONSUMER_UNREACHABLE if the broker gives no message for a minute.
 */
export async function readToEnd(
  source: EventSource,
  extents: readonly Extent[],
  tally: Tally,
  signal: AbortSignal,
): Promise<void> {
  const reading = new Reading(extents, tally);
  if (reading.isDone) return;
  const end = AbortSignal.any([signal, reading.ended]);
  const stopped = source.run({
    log: silentLogger,
    signal: end,
    stopTimeoutMs: 1000,
    openSession: () => new Session(),
    deliver: async (message) => {
      if (!end.aborted) reading.take(message);
      return "handled";
    },
  });
  await Promise.race([stopped, reading.silence(end)]);
}

class Reading {
  readonly #extents: ReadonlyMap<string, Extent>;
  readonly #tally: Tally;
  /** Of each place that is not read to its end, the next offset. */
  readonly #next: Map<string, bigint>;
  readonly #end = new AbortController();
  #lastAt = performance.now();

  constructor(extents: readonly Extent[], tally: Tally) {
    const filled = extents.filter(({ low, high }) => high > low);
    this.#extents = new Map(filled.map((extent) => [extent.place, extent]));
    this.#next = new Map(filled.map(({ place, low }) => [place, low]));
    this.#tally = tally;
    tally.expect(filled.reduce((sum, { low, high }) => sum + Number(high - low), 0));
  }

  get isDone(): boolean {
    return this.#next.size === 0;
  }

  /** Aborted at the end. */
  get ended(): AbortSignal {
    return this.#end.signal;
  }

  /** Takes a message unless it came after the start, or is delivered again after a lost connection. */
  take(message: ReceivedMessage): void {
    const at = message.place.lastIndexOf("@");
    const [place, offset] = [message.place.slice(0, at), BigInt(message.place.slice(at + 1))];
    this.#lastAt = performance.now();
    const [extent, next] = [this.#extents.get(place), this.#next.get(place)];
    if (extent === undefined || next === undefined || offset < next) return;
    if (offset < extent.high) {
      const truncated = extent.low > 0n ? { truncatedPartition: place } : {};
      this.#tally.addMessage(message, truncated);
    }
    if (offset + 1n < extent.high) this.#next.set(place, offset + 1n);
    else this.#next.delete(place);
    if (this.isDone) this.#end.abort();
  }

  /** Rejects after too long a time without a message; never resolves. */
  async silence(signal: AbortSignal): Promise<never> {
    while (!signal.aborted && performance.now() - this.#lastAt < silenceMs) {
      await delay(1000, undefined, { signal }).catch(() => undefined);
    }
    if (signal.aborted) return new Promise<never>(() => undefined);
    const missing = [...this.#next].map(([place, offset]) => `${place} from offset ${offset}`);
    const message = `the broker gives no more messages of ${missing.join(", ")}`;
    throw new CertwireError("CERTWIRE_CONSUMER_UNREACHABLE", message);
  }
}
