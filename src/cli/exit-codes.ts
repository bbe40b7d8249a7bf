import { CommanderError } from "commander";
import { CertwireError } from "../errors/certwire-error.ts";

/** Exit codes that are not those of an error code (src/errors/codes.ts). */
export const exitCodes = {
  ok: 0,
  /** A fault in Certwire itself. */
  fault: 1,
  usage: 2,
  /** Some events of a replay became dead letters, or some dead letters of a redrive stay. */
  deadLetters: 3,
  /** `verify` found something missing that no gap event accounts for. */
  holes: 4,
  /** `verify` found that somebody has changed a journal or its events. */
  changed: 5,
  /** `status` found reasons to know or to plan. */
  degraded: 10,
  /** `status` found reasons to act now. */
  failing: 11,
  /** The journal or file is damaged, or has records that cannot be decoded, or nothing to compare with. */
  badData: 65,
  /** A signal ended the command before it was done. */
  interrupted: 130,
} as const;

/** Exit code of a command that ended with `error`. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CertwireError) return error.exitCode;
  if (!(error instanceof CommanderError)) return exitCodes.fault;
  // Commander raises help and version as errors too, with 0, and everything else with 1.
  return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
}
