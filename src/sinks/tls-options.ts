import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { z } from "zod";
import { CertwireError } from "../errors/certwire-error.ts";
import { type ResolveContext, secretReference } from "./secret-reference.ts";

/** TLS options of a broker sink; the server's certificate is always verified. */
export const tlsOptions = z.strictObject({
  caFile: z
    .string()
    .min(1)
    .optional()
    .describe("PEM file with the certificates of the CAs to trust instead of the system's."),
  certificateFile: z.string().min(1).optional().describe("PEM file with the client certificate."),
  privateKey: secretReference
    .optional()
    .describe("PEM text of the client's private key, by reference."),
  serverName: z
    .string()
    .min(1)
    .optional()
    .describe("Name that the server's certificate must hold, where it differs from the host."),
});

/** TLS options with absolute paths and the key itself. */
export interface ResolvedTlsOptions {
  readonly caFile?: string;
  readonly certificateFile?: string;
  readonly privateKey?: string;
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
    ...(privateKey !== undefined && { privateKey: context.secret(privateKey) }),
    ...(serverName !== undefined && { serverName }),
  };
}

/** Options for `tls.connect`; the files are read each time, so that renewed certificates are used. */
export async function loadTls(options: ResolvedTlsOptions) {
  const [ca, cert] = await Promise.all([read(options.caFile), read(options.certificateFile)]);
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(options.privateKey !== undefined && { key: options.privateKey }),
    ...(options.serverName !== undefined && { servername: options.serverName }),
  };
}

async function read(path: string | undefined): Promise<Buffer | undefined> {
  if (path === undefined) return undefined;
  return readFile(path).catch((cause: unknown) => {
    throw new CertwireError("CERTWIRE_SINK_CONFIG", `cannot read ${path}`, { cause });
  });
}
