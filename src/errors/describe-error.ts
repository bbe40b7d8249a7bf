import { CertwireError } from "./certwire-error.ts";
import { describeCause } from "./describe-cause.ts";

/** Code and texts of an error and what to do about it, for a log line. */
export function describeError(error: unknown): { code?: string; error: string; hint?: string } {
  const text = describeCause(error);
  if (!(error instanceof CertwireError)) return { error: text };
  const { code, hint } = error;
  return { code, error: text, hint };
}
