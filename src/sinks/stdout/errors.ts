import { CertwireError } from "../../errors/certwire-error.ts";
import type { SinkFailure } from "../sink.ts";

const goneCodes = new Set(["EPIPE", "ERR_STREAM_DESTROYED", "ERR_STREAM_WRITE_AFTER_END"]);

/** Classifies an error of standard output: once its reader has gone, only a restart helps. */
export function toStdoutFailure(error: unknown): SinkFailure {
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? "";
  const isGone = goneCodes.has(code);
  return {
    kind: isGone ? "config" : "retry-identical",
    cause: new CertwireError(
      "CERTWIRE_SINK_UNREACHABLE",
      isGone ? "the reader of standard output has gone" : "cannot write to standard output",
      { cause: error },
    ),
  };
}
