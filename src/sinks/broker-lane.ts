import { CertwireError } from "../errors/certwire-error.ts";
import type { OutboundEvent } from "../events/outbound-event.ts";
import type { PublishOutcome } from "./sink.ts";

/** A lane of a sink that publishes to a broker. */
interface BrokerLane {
  publish(batch: readonly OutboundEvent[], signal: AbortSignal): Promise<PublishOutcome>;
}

/** Publishes on a lane; without one, since the sink is closed, it is a failure. */
export async function publishOn(
  lane: BrokerLane | undefined,
  batch: readonly OutboundEvent[],
  signal: AbortSignal,
): Promise<PublishOutcome> {
  if (lane !== undefined) return lane.publish(batch, signal);
  const cause = new CertwireError("CERTWIRE_SINK_UNREACHABLE", "the sink is closed");
  return { acknowledged: 0, failure: { kind: "reset", cause } };
}
