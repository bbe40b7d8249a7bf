import type { z } from "zod";
import { readSecret } from "../../config/secrets.ts";
import { CertwireError } from "../../errors/certwire-error.ts";
import { errorCodes } from "../../errors/codes.ts";
import type { ResolveContext, SecretReference } from "../../sinks/secret-reference.ts";

/** The options that say how to connect. */
export interface ConnectOptions {
  readonly username?: string;
  readonly mechanism: string;
  readonly passwordFile?: string;
  readonly passwordEnvironment?: string;
  readonly tokenEndpoint?: string;
  readonly clientId?: string;
  readonly clientSecretFile?: string;
  readonly clientSecretEnvironment?: string;
  readonly clientAuthentication?: string;
  readonly scope?: string;
  readonly tokenCaFile?: string;
  /** `name=value` each. */
  readonly saslExtension?: readonly string[];
  readonly awsRegion?: string;
  readonly caFile?: string;
  readonly certificateFile?: string;
  readonly privateKeyFile?: string;
}

/** Options for the credentials of a token, which no other mechanism takes. */
export const tokenOptions = {
  tokenEndpoint: "--token-endpoint",
  clientId: "--client-id",
  clientSecretFile: "--client-secret-file",
  clientSecretEnvironment: "--client-secret-environment",
  clientAuthentication: "--client-authentication",
  scope: "--scope",
  tokenCaFile: "--token-ca-file",
  saslExtension: "--sasl-extension",
} as const satisfies Partial<Record<keyof ConnectOptions, string>>;

/** Options that only Kafka knows. */
export const kafkaOptions = { ...tokenOptions, awsRegion: "--aws-region" } as const;

const brokerOptions = {
  username: "--username",
  passwordFile: "--password-file",
  passwordEnvironment: "--password-environment",
  ...kafkaOptions,
  caFile: "--ca-file",
  certificateFile: "--certificate-file",
  privateKeyFile: "--private-key-file",
} as const satisfies Partial<Record<keyof ConnectOptions, string>>;

/**
 * Those of the options that were given, as they are written; by default all but the mechanism, which has a default
 * itself.
 */
export function givenOptions(
  options: ConnectOptions,
  names: Partial<Record<keyof ConnectOptions, string>> = brokerOptions,
): string[] {
  return Object.entries(names)
    .filter(([key]) => options[key as keyof ConnectOptions] !== undefined)
    .map(([, name]) => name);
}

/** Paths are relative to the working directory. */
export const resolveContext: ResolveContext = {
  baseDirectory: process.cwd(),
  secret: (reference) => readSecret(reference, process.cwd()),
};

/** Where the password is; `undefined` without one. Throws CERTWIRE_USAGE if there are two. */
export function passwordReference(options: ConnectOptions): SecretReference | undefined {
  return referenceOf(options.passwordFile, options.passwordEnvironment, "password");
}

/** Where the client secret is, likewise. */
export function clientSecretReference(options: ConnectOptions): SecretReference | undefined {
  const { clientSecretFile, clientSecretEnvironment } = options;
  return referenceOf(clientSecretFile, clientSecretEnvironment, "client-secret");
}

function referenceOf(file: string | undefined, environment: string | undefined, option: string) {
  if (file !== undefined && environment !== undefined) {
    throw usage(`--${option}-file and --${option}-environment cannot be used together`);
  }
  if (file !== undefined) return { file };
  return environment === undefined ? undefined : { environment };
}

/** The TLS options as a sink has them; empty without any. */
export function tlsEntry({ caFile, certificateFile, privateKeyFile }: ConnectOptions): object {
  const tls = {
    ...(caFile !== undefined && { caFile }),
    ...(certificateFile !== undefined && { certificateFile }),
    ...(privateKeyFile !== undefined && { privateKey: { file: privateKeyFile } }),
  };
  return Object.keys(tls).length > 0 ? { tls } : {};
}

/** What a sink's schema makes of an entry. Throws CERTWIRE_USAGE, which never repeats a part of the URL. */
export function parseEntry<T extends z.ZodType>(schema: T, entry: object, option: string) {
  const result = schema.safeParse({ name: "verify", ...entry });
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const given = issue?.code === "custom" ? issue.params?.["hint"] : undefined;
  // The general one is about a configuration file.
  const hint = given === errorCodes.CERTWIRE_CONFIG_INVALID.hint ? undefined : given;
  const place = issue?.path[0] === "url" ? option : `${option}: ${issue?.path.join(".")}`;
  throw usage(`${place}: ${issue?.message}`, typeof hint === "string" ? hint : undefined);
}

export function usage(message: string, hint?: string): CertwireError {
  return new CertwireError("CERTWIRE_USAGE", message, hint === undefined ? {} : { hint });
}
