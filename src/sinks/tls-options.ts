import { resolve } from "node:path";
import { createSecureContext } from "node:tls";
import { z } from "zod";
import { CertwireError } from "../errors/certwire-error.ts";
import { maxPemBytes, readPemFile } from "../files/text-file.ts";
import { pathOption } from "./path-option.ts";
import { type ResolveContext, secretReference } from "./secret-reference.ts";

/** TLS options of a broker sink; the server's certificate is always verified. */
export const tlsOptions = z.strictObject({
  caFile: pathOption()
    .optional()
    .describe(
      "PEM file with the CA certificates to trust. Default: those that come with Node.js; the operating system's store is not used.",
    ),
  certificateFile: pathOption()
    .optional()
    .describe(
      "PEM file with the client certificate, followed by any intermediate CA certificates.",
    ),
  privateKey: secretReference
    .optional()
    .describe("The client's private key in PEM without a passphrase, by reference."),
  serverName: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Name that the server's certificate must contain, if it differs from the host in the URL.",
    ),
});

/** TLS options with absolute paths. */
export interface ResolvedTlsOptions {
  /** PEM file of the CAs to trust. Default: those that come with Node.js. */
  readonly caFile?: string;
  /** PEM file of the client certificate and its intermediate CAs. Default: no client certificate. */
  readonly certificateFile?: string;
  /** Reads the key each time it is called, since it is renewed with the certificate. Throws a CertwireError. */
  readonly privateKey?: () => string;
  /** Name that the server's certificate must contain. Default: the host in the URL. */
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
 * Options for `tls.connect`. Reads all files on each call, so that renewed certificates and keys take effect.
 * Throws a CertwireError.
 */
export function loadTls({ caFile, certificateFile, privateKey, serverName }: ResolvedTlsOptions) {
  try {
    const secureContext = createSecureContext({
      ...(caFile !== undefined && { ca: readPemFile(caFile, maxPemBytes) }),
      ...(certificateFile !== undefined && { cert: readPemFile(certificateFile, maxPemBytes) }),
      ...(privateKey !== undefined && { key: privateKey() }),
    });
    return { secureContext, ...(serverName !== undefined && { servername: serverName }) };
  } catch (cause) {
    throw new CertwireError("CERTWIRE_SINK_CONFIG", "the files named in `tls` cannot be used", {
      cause,
      hint: "`certwire check --offline` says which file is wrong, and why.",
    });
  }
}
