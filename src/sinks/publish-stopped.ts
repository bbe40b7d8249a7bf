import { CertwireError } from "../errors/certwire-error.ts";

/** The error of a publish that is given up because its signal is aborted. */
export function publishStopped(): CertwireError {
  return new CertwireError("CERTWIRE_SINK_UNREACHABLE", "stopped before the publish ended");
}
