import { clock } from "../clock.ts";
import type { OutboundEvent } from "../events/outbound-event.ts";
import { leastEventBytes } from "./common-options.ts";
import type { SinkLimits } from "./sink.ts";

/**
 * The largest event that a destination accepts, as far as a sink knows: what the destination states, and what the
 * sink learned when it refused an event. What is learned is in force once the sink has been opened again, because
 * the pipeline makes events fit then. It never goes below `leastEventBytes`.
 */
export class SizeLimit {
  readonly #configured: SinkLimits;
  #limits: SinkLimits;
  #stated = Infinity;
  #learned = Infinity;
  /** When it was learned, in ms of `Clock.now`. */
  #learnedAt = Infinity;

  constructor(configured: SinkLimits) {
    this.#configured = configured;
    this.#limits = configured;
  }

  /** The limits in force. */
  get limits(): SinkLimits {
    return this.#limits;
  }

  /**
   * Learns that events of more than `bytes` are refused. False if that does not lower the limit in force, so that
   * opening the sink again would not help.
   */
  learn(bytes: number): boolean {
    const target = Math.max(leastEventBytes, bytes);
    if (target >= this.#limits.maxEventBytes) return false;
    // Lanes may learn different limits before the sink is opened again.
    this.#learned = Math.min(target, this.#learned);
    this.#learnedAt = clock.now();
    return true;
  }

  /** Learns from an event that was refused alone where nothing says how much would be accepted: three quarters. */
  learnFrom({ json }: OutboundEvent): boolean {
    return this.learn(Math.floor((json.length * 3) / 4));
  }

  /** Forgets what was learned longer ago than that, in ms; true if there was something. */
  forgetAfter(ms: number): boolean {
    if (clock.now() - this.#learnedAt <= ms) return false;
    this.#forget();
    return true;
  }

  /**
   * Puts in force what was learned and what the destination states: at least `leastEventBytes`, by default nothing.
   * Another statement than before overrules what was learned. True if larger events were accepted before.
   */
  apply(stated = Infinity): boolean {
    if (stated !== this.#stated) this.#forget();
    this.#stated = stated;
    const before = this.#limits.maxEventBytes;
    const maxEventBytes = Math.min(this.#configured.maxEventBytes, stated, this.#learned);
    this.#limits = { ...this.#configured, maxEventBytes };
    return maxEventBytes < before;
  }

  #forget(): void {
    this.#learned = Infinity;
    this.#learnedAt = Infinity;
  }
}
