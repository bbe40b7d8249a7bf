import type { z } from "zod";
import { readSecret } from "../../config/secrets.ts";
import { CertwireError } from "../../errors/certwire-error.ts";
import type { ResolveContext, SecretReference } from "../../sinks/secret-reference.ts";

/** The options that say how to connect. */
export interface ConnectOptions {
  readonly username?: string;
  readonly mechanism: string;
  readonly passwordFile?: string;
  readonly passwordEnvironment?: string;
  readonly caFile?: string;
  readonly certificateFile?: string;
  readonly privateKeyFile?: string;
}

/** Those of the options that were given, as they are written; not the mechanism, which has a default. */
export function connectOptions(options: ConnectOptions): string[] {
  const { username, passwordFile, passwordEnvironment } = options;
  const { caFile, certificateFile, privateKeyFile } = options;
  const given: Readonly<Record<string, string | undefined>> = {
    "--username": username,
    "--password-file": passwordFile,
    "--password-environment": passwordEnvironment,
    "--ca-file": caFile,
    "--certificate-file": certificateFile,
    "--private-key-file": privateKeyFile,
  };
  return Object.keys(given).filter((name) => given[name] !== undefined);
}

/** Paths are relative to the working directory. */
export const resolveContext: ResolveContext = {
  baseDirectory: process.cwd(),
  secret: (reference) => readSecret(reference, process.cwd()),
};

/** Where the password is; `undefined` without one. Throws CERTWIRE_USAGE if there are two. */
export function passwordReference({
  passwordFile: file,
  passwordEnvironment: environment,
}: ConnectOptions): SecretReference | undefined {
  if (file !== undefined && environment !== undefined) {
    throw usage("--password-file and --password-environment cannot be used together");
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
  const hint = issue?.code === "custom" ? issue.params?.["hint"] : undefined;
  const place = issue?.path[0] === "url" ? option : `${option}: ${issue?.path.join(".")}`;
  throw usage(`${place}: ${issue?.message}`, typeof hint === "string" ? hint : undefined);
}

export function usage(message: string, hint?: string): CertwireError {
  return new CertwireError("CERTWIRE_USAGE", message, hint === undefined ? {} : { hint });
}
