import { gapReason } from "../pipeline/tally.ts";

/** How many gaps are known by their ids: each sink reads all of them, one soon after the other. */
const mostIds = 10_000;

/**
 * Counts the gaps that the sinks read by reason, each once however many of them read it. Their own counts do not tell
 * whether two sinks have read the same gap, since after a restart each continues at its own place.
 */
export class SeenGaps {
  readonly #ids = new Set<string>();
  readonly #counts = new Map<string, number>();
  readonly #mostIds: number;

  constructor(most = mostIds) {
    this.#mostIds = most;
  }

  /** A sink has read the gap whose event has this id. */
  take(id: string, reason: unknown): void {
    if (this.#ids.has(id)) return;
    this.#ids.add(id);
    const [oldest] = this.#ids;
    if (this.#ids.size > this.#mostIds && oldest !== undefined) this.#ids.delete(oldest);
    const known = gapReason(reason);
    this.#counts.set(known, (this.#counts.get(known) ?? 0) + 1);
  }

  /** Gaps since the start of the service by reason. */
  get counts(): ReadonlyMap<string, number> {
    return new Map(this.#counts);
  }
}
