import type { Logger } from "pino";
import { CertwireError } from "../../errors/certwire-error.ts";
import type { OutboundEvent } from "../../events/outbound-event.ts";
import { leastEventBytes } from "../common-options.ts";
import type { SinkFailure, SinkLimits } from "../sink.ts";
import type { ContentRefusal } from "./errors.ts";

/**
 * The largest event that the broker accepts. No client can ask for it, so the sink learns it when the broker refuses
 * an event, and asks to be opened again with a smaller limit.
 */
export class SizeLimit {
  readonly #log: Logger;
  #limits: SinkLimits;
  #learned: number | undefined;

  constructor(limits: SinkLimits, log: Logger) {
    this.#limits = limits;
    this.#log = log;
  }

  /** The limits in force. */
  get limits(): SinkLimits {
    return this.#limits;
  }

  /** Puts in force what was learned. Called while the sink opens. */
  apply(): void {
    const maxEventBytes = this.#learned;
    this.#learned = undefined;
    if (maxEventBytes === undefined || maxEventBytes >= this.#limits.maxEventBytes) return;
    const before = this.#limits.maxEventBytes;
    this.#limits = { ...this.#limits, maxEventBytes };
    this.#log.warn(
      { maxEventBytes, before },
      "the broker accepts smaller messages only: larger events are made smaller",
    );
  }

  /** What a refusal means for the first unacknowledged event; `isAlone`: no other event was sent with it. */
  failureOf(
    refusal: ContentRefusal,
    cause: Error,
    event: OutboundEvent,
    isAlone: boolean,
  ): SinkFailure {
    const target = Math.max(leastEventBytes, this.#fitting(refusal, event, isAlone));
    if (target < this.#limits.maxEventBytes) {
      this.#learned = Math.min(target, this.#learned ?? target);
      return { kind: "reset", scope: "sink", cause };
    }
    return isAlone ? tooLarge(refusal, cause, event) : { kind: "reset", cause };
  }

  #fitting({ bytes, maxBytes }: ContentRefusal, event: OutboundEvent, isAlone: boolean): number {
    const size = event.json.length;
    if (!isAlone) return maxBytes ?? this.#limits.maxEventBytes;
    if (bytes === undefined || maxBytes === undefined) return Math.floor((size * 3) / 4);
    // The broker may count more than the body.
    return maxBytes - Math.max(0, bytes - size);
  }
}

function tooLarge({ failure }: ContentRefusal, cause: Error, event: OutboundEvent): SinkFailure {
  const { id, json } = event;
  const message = `the broker refuses event ${id} of ${json.length} bytes, which cannot be made smaller`;
  const hint = failure.hint === undefined ? {} : { hint: failure.hint };
  return {
    kind: "config",
    cause: new CertwireError("CERTWIRE_SINK_CONFIG", message, { cause, ...hint }),
  };
}
