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

/** Waits for something that cannot be cancelled until it ends or the signal is aborted. */
export async function unlessAborted<T>(waiting: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stop = (): void => {
      reject(new CertwireError("CERTWIRE_SINK_UNREACHABLE", "stopped before the broker answered"));
    };
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    waiting.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
