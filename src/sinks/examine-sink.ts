import { clock } from "../clock.ts";
import type { DestinationFinding } from "./sink.ts";
import type { ConfiguredSink } from "./sink-kind.ts";

/** How long a sink may take to close, in ms. */
const closeMs = 1000;

/** What an opening of a sink has shown. */
export interface SinkExamination {
  /** Number of lanes. */
  readonly lanes: number;
  /** What its destinations put at risk. */
  readonly findings: readonly DestinationFinding[];
}

/**
 * Opens a sink as the service does, and closes it again. Publishes nothing. Rejects with what `open` rejects with, and
 * with an Error if the sink is not open in time, in ms.
 */
export async function examineSink(
  configured: ConfiguredSink,
  timeoutMs: number,
): Promise<SinkExamination> {
  const sink = await configured.create();
  const timeout = clock.timeoutSignal(timeoutMs);
  const tooLate = new Promise<never>((_, reject) => {
    const silence = `no answer in ${timeoutMs} ms from ${configured.destination}`;
    timeout.addEventListener("abort", () => reject(new Error(silence)));
  });
  try {
    await Promise.race([sink.open(timeout), tooLate]);
    return { lanes: sink.lanes, findings: sink.findings ?? [] };
  } finally {
    await Promise.race([sink.close(), clock.delay(closeMs)]);
  }
}
