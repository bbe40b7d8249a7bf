import { resolve } from "node:path";
import { z } from "zod";
import { pathOption } from "../sinks/path-option.ts";
import { type SecretReference, secretReference } from "../sinks/secret-reference.ts";
import { type CertificateEnd, certificateEnds } from "../sinks/tls-files.ts";
import { type ListenAddress, parseListenAddress } from "./listen-address.ts";
import { readSecret } from "./secrets.ts";

const tls = z
  .strictObject({
    certificateFile: pathOption().describe(
      "PEM file with the server's certificate, followed by any intermediate CA certificates.",
    ),
    privateKey: secretReference.describe(
      "The server's private key in PEM without a passphrase, by reference.",
    ),
  })
  .describe("Serves HTTPS. Needed for an address that other machines can reach.");

/** Schema of the section `http`. */
export const httpSection = z
  .strictObject({
    listen: z
      .string()
      .refine((text) => parseListenAddress(text) !== undefined, {
        error: "must be an IP address with a port, unix:/path or pipe:name",
      })
      .describe(
        "Where to listen: `127.0.0.1:9470`, `[::1]:9470`, `unix:/run/certwire/http.sock`, or on Windows `pipe:certwire`.",
      ),
    tls: tls.optional(),
    token: secretReference
      .optional()
      .describe(
        "Bearer token that every request for data must have, by reference. Needed for an address that other machines can reach.",
      ),
    names: z
      .enum(["on-request", "never"])
      .default("on-request")
      .describe(
        "Whether the status page may show names of requesters and subjects: `on-request`, by its button, or `never`.",
      ),
  })
  .superRefine(({ listen, tls: hasTls, token }, context) => {
    if (parseListenAddress(listen)?.isLocal !== false || (hasTls && token)) return;
    const missing = hasTls ? "`token`" : token ? "`tls`" : "`tls` and `token`";
    context.addIssue({
      code: "custom",
      path: ["listen"],
      message: `other machines can reach ${listen}: needs ${missing}`,
      params: {
        hint: "The endpoint shows names of machines and sinks. Listen on 127.0.0.1, or set both.",
      },
    });
  })
  .describe(
    "Serves health, status, metrics and the status page over HTTP. Without this section nothing listens.",
  );

/** The section `http` with absolute paths. */
export interface HttpOptions {
  /** As it was configured, for people. */
  readonly listen: string;
  readonly address: ListenAddress;
  readonly tls?: {
    readonly certificateFile: string;
    /** When the certificate file ends; reads it if it has changed. */
    readonly certificates: () => readonly CertificateEnd[];
    /** Reads the key each time it is called. Throws a CertwireError. */
    readonly privateKey: () => string;
  };
  /** Reads the token each time it is called. Throws a CertwireError. */
  readonly token?: () => string;
  /** Whether the status page may show names of people. */
  readonly names: "on-request" | "never";
}

/** Resolves the section `http`, which its schema has accepted. */
export function resolveHttp(
  options: z.input<typeof httpSection>,
  baseDirectory: string,
): HttpOptions {
  const { listen, tls: files, token, names = "on-request" } = options;
  const address = parseListenAddress(listen);
  if (address === undefined) throw new TypeError(`not an address: ${listen}`);
  const secret = (reference: SecretReference) => () => readSecret(reference, baseDirectory);
  const certificateFile = files && resolve(baseDirectory, files.certificateFile);
  return {
    listen,
    address,
    names,
    ...(files &&
      certificateFile !== undefined && {
        tls: {
          certificateFile,
          certificates: () => certificateEnds({ certificateFile }),
          privateKey: secret(files.privateKey),
        },
      }),
    ...(token && { token: secret(token) }),
  };
}
