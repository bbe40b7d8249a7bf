import { CertwireError } from "./certwire-error.ts";
import { describeCause } from "./describe-cause.ts";

/** The fields of a log line about an error; `code` and `hint` only for a CertwireError. */
export function describeError(error: unknown): { code?: string; error: string; hint?: string } {
  const text = describeCause(error);
  if (!(error instanceof CertwireError)) return { error: text };
  const { code, hint } = error;
  return { code, error: text, hint };
}
