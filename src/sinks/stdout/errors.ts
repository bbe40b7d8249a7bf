import { CertwireError } from "../../errors/certwire-error.ts";
import { isReaderGone } from "../../files/standard-output.ts";
import type { SinkFailure } from "../sink.ts";

/** Classifies an error of standard output: once its reader has gone, only a restart helps. */
export function toStdoutFailure(error: unknown): SinkFailure {
  const isGone = isReaderGone(error);
  return {
    kind: isGone ? "config" : "retry-identical",
    cause: new CertwireError(
      "CERTWIRE_SINK_UNREACHABLE",
      isGone ? "the reader of standard output has gone" : "cannot write to standard output",
      { cause: error },
    ),
  };
}
