import { CertwireError } from "../../errors/certwire-error.ts";

/** The error of a call that is invalid. */
export function usageError(message: string, hint?: string): CertwireError {
  return new CertwireError("CERTWIRE_TESTING_OPTIONS", message, hint === undefined ? {} : { hint });
}
