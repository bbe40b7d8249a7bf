import { z } from "zod";
import { CertwireError } from "../errors/certwire-error.ts";
import { pathOption } from "./path-option.ts";

/** Where a secret is kept; the secret itself is never in the configuration file. */
export const secretReference = z
  .union([
    z.strictObject({
      file: pathOption().describe(
        "Path of a file. Its first line is the secret; a file with PEM is read whole.",
      ),
    }),
    z.strictObject({
      environment: z.string().min(1).describe("Name of an environment variable."),
    }),
  ])
  .describe("Reference to a secret: a file or an environment variable.");

/** A reference to a secret. */
export type SecretReference = z.infer<typeof secretReference>;

/** What a sink's `resolve` needs from its environment. */
export interface ResolveContext {
  /** The secret that a reference names. Throws a CertwireError when it cannot be read. */
  secret(reference: SecretReference): string;
  /** Directory that relative paths start from: that of the configuration file. */
  readonly baseDirectory: string;
}

/** Reads a secret each time it is called, so that a new one takes effect. Throws a CertwireError. */
export type ReadSecret = () => string;

/**
 * A function that reads a password for each connection. When it cannot be read it throws
 * CERTWIRE_SINK_CONFIG, which the pipeline retries.
 */
export function passwordOf(reference: SecretReference, context: ResolveContext): ReadSecret {
  return () => {
    try {
      return context.secret(reference);
    } catch (cause) {
      if (!(cause instanceof CertwireError)) throw cause;
      const message = `the password cannot be read: ${cause.message}`;
      throw new CertwireError("CERTWIRE_SINK_CONFIG", message, { hint: cause.hint });
    }
  };
}
