import { z } from "zod";

/** Where a secret is kept; a secret itself never stands in the configuration file. */
export const secretReference = z
  .union([
    z.strictObject({
      file: z.string().min(1).describe("Path of a file whose first line is the secret."),
    }),
    z.strictObject({
      environment: z.string().min(1).describe("Name of an environment variable."),
    }),
    z.strictObject({
      windowsCredential: z
        .string()
        .min(1)
        .describe("Target name of a generic credential in the Windows credential store."),
    }),
  ])
  .describe("Reference to a secret: a file, an environment variable or a Windows credential.");

/** A reference to a secret. */
export type SecretReference = z.infer<typeof secretReference>;

/** What a sink's `resolve` needs from its surroundings. */
export interface ResolveContext {
  /** The secret that a reference stands for; throws a CertwireError when it cannot be had. */
  secret(reference: SecretReference): string;
  /** Directory that relative paths start from: that of the configuration file. */
  readonly baseDirectory: string;
}
