import { CertwireError } from "../../errors/certwire-error.ts";
import type { OutboundEvent } from "../../events/outbound-event.ts";
import type { SinkFailure } from "../sink.ts";
import type { SizeLimit } from "../size-limit.ts";
import type { ContentRefusal } from "./errors.ts";

/** An event that the broker refused as too large. */
interface TooLarge {
  readonly refusal: ContentRefusal;
  readonly cause: Error;
  /** The first unacknowledged event. */
  readonly event: OutboundEvent;
  /** True when no other event was sent with it. */
  readonly isAlone: boolean;
}

/** What it means for the event. No client can ask for the broker's limit, so the sink learns it from refusals. */
export function failureOfTooLarge(limit: SizeLimit, tooLarge: TooLarge): SinkFailure {
  const { cause, isAlone } = tooLarge;
  if (learnFrom(tooLarge, limit)) return { kind: "reset", scope: "sink", cause };
  return isAlone ? unshrinkable(tooLarge) : { kind: "reset", cause };
}

function learnFrom({ refusal, event, isAlone }: TooLarge, limit: SizeLimit): boolean {
  const { bytes, maxBytes } = refusal;
  if (!isAlone) return maxBytes !== undefined && limit.learn(maxBytes);
  if (bytes === undefined || maxBytes === undefined) return limit.learnFrom(event);
  // The broker may count more than the body.
  return limit.learn(maxBytes - Math.max(0, bytes - event.json.length));
}

function unshrinkable({ refusal, cause, event }: TooLarge): SinkFailure {
  const { id, json } = event;
  const message = `the broker refuses event ${id} of ${json.length} bytes, which cannot be made smaller`;
  const { hint } = refusal.failure;
  return {
    kind: "config",
    cause: new CertwireError("CERTWIRE_SINK_CONFIG", message, {
      cause,
      ...(hint !== undefined && { hint }),
    }),
  };
}
