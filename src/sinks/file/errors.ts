import { CertwireError } from "../../errors/certwire-error.ts";
import type { SinkFailure } from "../sink.ts";

const rightsCodes = new Set(["EACCES", "EPERM", "EROFS"]);
const configCodes = new Set(["ENOTDIR", "EISDIR", "ENAMETOOLONG", "ELOOP"]);

/** Classifies a file system error. In any case the next publish opens the file again. */
export function toFileFailure(cause: unknown): SinkFailure {
  if (cause instanceof CertwireError) {
    return { kind: cause.retryable ? "retry-identical" : "config", cause };
  }
  const code = (cause as NodeJS.ErrnoException | undefined)?.code ?? "";
  if (rightsCodes.has(code)) return { kind: "auth", cause: sinkError("CERTWIRE_SINK_AUTH", cause) };
  if (configCodes.has(code)) {
    return { kind: "config", cause: sinkError("CERTWIRE_SINK_CONFIG", cause) };
  }
  return { kind: "reset", cause: sinkError("CERTWIRE_SINK_UNREACHABLE", cause) };
}

/** The current file was deleted, renamed or replaced while it was open. */
export function displaced(path: string): CertwireError {
  const hint = "Let nothing delete or rename the current file: `maxFiles` deletes the old ones.";
  const message = `${path} was deleted or replaced; a new file is begun`;
  return new CertwireError("CERTWIRE_SINK_UNREACHABLE", message, { hint });
}

function sinkError(code: ConstructorParameters<typeof CertwireError>[0], cause: unknown) {
  return new CertwireError(code, "cannot write the event file", { cause });
}
