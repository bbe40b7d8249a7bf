import { resolve } from "node:path";
import { CertwireError } from "../errors/certwire-error.ts";
import { readTextFile, textFileProblem } from "../files/text-file.ts";
import type { SecretReference } from "../sinks/secret-reference.ts";
import { mebibyte } from "../units.ts";

/** A larger file holds neither a password nor PEM. */
const maxBytes = mebibyte;

/**
 * The secret that a reference names: the first line of a file, the whole file if it contains PEM, or the value of
 * an environment variable. Throws a CertwireError whose message never holds the secret.
 */
export function readSecret(reference: SecretReference, baseDirectory: string): string {
  if ("environment" in reference) return fromEnvironment(reference.environment);
  return fromFile(resolve(baseDirectory, reference.file));
}

function fromEnvironment(name: string): string {
  const value = process.env[name];
  if (value) return value;
  throw unusable(
    `the environment variable is ${value === undefined ? "not set" : "empty"}`,
    "Set it for the process that runs certwire, or use a file.",
  );
}

function fromFile(path: string): string {
  const content = readText(path);
  // A PEM key has several lines, and some tools write text before it.
  const isPem = /^-----BEGIN /m.test(content);
  const secret = isPem ? content : content.split(/\r?\n/, 1)[0];
  if (secret) return secret;
  throw unusable("the first line of the secret file is empty", `Write the secret into ${path}`);
}

function readText(path: string): string {
  try {
    return readTextFile(path, maxBytes);
  } catch (error) {
    const problem = textFileProblem(error);
    const hint = problem.isContent
      ? `Write the secret into ${path} as UTF-8.`
      : `Check that ${path} exists and that this account may read it.`;
    throw unusable(`the secret file ${problem.message}`, hint);
  }
}

function unusable(message: string, hint: string): CertwireError {
  return new CertwireError("CERTWIRE_CONFIG_INVALID", message, { hint });
}
