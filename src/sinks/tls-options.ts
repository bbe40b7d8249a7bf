import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { createSecureContext } from "node:tls";
import { z } from "zod";
import { CertwireError } from "../errors/certwire-error.ts";
import { type ResolveContext, secretReference } from "./secret-reference.ts";

/** TLS options of a broker sink; the server's certificate is always verified. */
export const tlsOptions = z.strictObject({
  caFile: z
    .string()
    .min(1)
    .optional()
    .describe(
      "PEM file with the certificates of the CAs to trust. Without it those that come with Node.js; the system's own store is not used.",
    ),
  certificateFile: z
    .string()
    .min(1)
    .optional()
    .describe(
      "PEM file with the client certificate, then those of the CAs between it and the root.",
    ),
  privateKey: secretReference
    .optional()
    .describe("PEM text of the client's private key without a passphrase, by reference."),
  serverName: z
    .string()
    .min(1)
    .optional()
    .describe("Name that the server's certificate must hold, where it differs from the host."),
});

/** TLS options with absolute paths and a way to the key. */
export interface ResolvedTlsOptions {
  readonly caFile?: string;
  readonly certificateFile?: string;
  /** Reads the key anew: it is renewed together with the certificate. Throws a CertwireError. */
  readonly privateKey?: () => string;
  readonly serverName?: string;
}

/** Resolves the paths and the secret of TLS options. */
export function resolveTls(
  options: z.infer<typeof tlsOptions>,
  context: ResolveContext,
): ResolvedTlsOptions {
  const { caFile, certificateFile, privateKey, serverName } = options;
  return {
    ...(caFile !== undefined && { caFile: resolve(context.baseDirectory, caFile) }),
    ...(certificateFile !== undefined && {
      certificateFile: resolve(context.baseDirectory, certificateFile),
    }),
    ...(privateKey !== undefined && { privateKey: () => context.secret(privateKey) }),
    ...(serverName !== undefined && { serverName }),
  };
}

/**
 * Options for `tls.connect`; all files are read each time, so that renewed certificates and keys are used.
 * Throws a CertwireError.
 */
export function loadTls({ caFile, certificateFile, privateKey, serverName }: ResolvedTlsOptions) {
  try {
    const secureContext = createSecureContext({
      ...(caFile !== undefined && { ca: readFileSync(caFile) }),
      ...(certificateFile !== undefined && { cert: readFileSync(certificateFile) }),
      ...(privateKey !== undefined && { key: privateKey() }),
    });
    return { secureContext, ...(serverName !== undefined && { servername: serverName }) };
  } catch (cause) {
    throw new CertwireError("CERTWIRE_SINK_CONFIG", "the files of `tls` cannot be used", {
      cause,
      hint: "`certwire check --offline` tells which of them is wrong, and why.",
    });
  }
}
