import type { CertwireError } from "../../../src/errors/certwire-error.ts";
import type { SinkFailure } from "../../../src/sinks/sink.ts";

/** What a failure means for a sink: its kind, and the code of its error. */
export function describeFailure({ kind, cause }: SinkFailure): string {
  return `${kind} ${(cause as CertwireError).code}`;
}
