// Authenticode signatures by osslsigncode: by a key that this machine can use, or made elsewhere and put on here.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** A key that this machine can use. */
export interface SigningKey {
  /** File with the certificate and those between it and the root, in PEM. */
  readonly certificates: string;
  /** File with the private key in PEM, or the URI of a key in a PKCS#11 token. */
  readonly key: string;
  /** File with the password of the key or the PIN of the token. */
  readonly passwordFile?: string;
  /** Shared library of the token. */
  readonly pkcs11Module?: string;
  /** RFC 3161 service that says when it was signed. Default: none, and the time is that of the release. */
  readonly timestampUrl?: string;
}

/** How the files of a release are signed. */
export interface Signing {
  /** Signs with this key. */
  readonly key?: SigningKey;
  /** Puts signatures from this directory onto the files, `<file>.p7` each; a file without one stays unsigned. */
  readonly signatures?: string;
  /**
   * File with the roots that every signature and its time stamp must lead to, in PEM. Default: those that this machine
   * trusts.
   */
  readonly root?: string;
}

const variables = {
  certificates: "CERTWIRE_SIGN_CERT",
  key: "CERTWIRE_SIGN_KEY",
  passwordFile: "CERTWIRE_SIGN_PASSWORD_FILE",
  pkcs11Module: "CERTWIRE_SIGN_PKCS11_MODULE",
  timestampUrl: "CERTWIRE_SIGN_TIMESTAMP_URL",
} as const satisfies Record<keyof SigningKey, string>;

/**
 * How to sign, by the variables of an environment and a directory of signatures. Throws when a variable lacks the one
 * that belongs to it, or names a file that is not there.
 */
export function signingFrom(environment: NodeJS.ProcessEnv, signatures?: string): Signing {
  const found = Object.fromEntries(
    Object.entries(variables).flatMap(([member, name]) =>
      environment[name] ? [[member, environment[name]]] : [],
    ),
  ) as Partial<SigningKey>;
  const { certificates, key, passwordFile, pkcs11Module } = found;
  const root = environment["CERTWIRE_SIGN_ROOT"];
  const files = [certificates, passwordFile, pkcs11Module, root, signatures];
  if (key !== undefined && !key.startsWith("pkcs11:")) files.push(key);
  const missing = files.find((file) => file !== undefined && !existsSync(file));
  if (missing !== undefined) throw new Error(`${missing}, needed to sign, does not exist`);
  const base = { ...(root && { root }), ...(signatures && { signatures }) };
  if (Object.keys(found).length === 0) return base;
  if (certificates === undefined || key === undefined) {
    throw new Error(`${variables.certificates} and ${variables.key} belong together: set both`);
  }
  if (key.startsWith("pkcs11:") && pkcs11Module === undefined) {
    throw new Error(`${variables.key} is in a PKCS#11 token: set ${variables.pkcs11Module}`);
  }
  if (signatures !== undefined) {
    throw new Error(`${variables.key} and --signatures exclude each other`);
  }
  return { ...base, key: { ...found, certificates, key } };
}

/**
 * Signs a file in place and checks its signature; false if there is nothing to sign it with. `epochSeconds`: the time
 * in the signature. Throws with what osslsigncode says.
 */
export function signFile(path: string, signing: Signing, epochSeconds: number): boolean {
  const { key, signatures, root } = signing;
  if (key !== undefined) {
    replace(path, (signed) => [...signArguments(key, epochSeconds), "-in", path, "-out", signed]);
  } else {
    const signature = signatures && join(signatures, `${basename(path)}.p7`);
    if (!signature || !existsSync(signature)) return false;
    const from = ["attach-signature", "-sigin", signature, ...trust(root)];
    replace(path, (signed) => [...from, "-in", path, "-out", signed]);
  }
  verifySignature(path, root);
  return true;
}

/** Throws, with what osslsigncode says, when a file has no signature that leads to one of the roots. */
export function verifySignature(path: string, root?: string): void {
  osslsigncode(["verify", ...trust(root), "-in", path]);
}

function trust(root?: string): string[] {
  return root ? ["-CAfile", root, "-TSA-CAfile", root] : [];
}

function signArguments(key: SigningKey, epochSeconds: number): string[] {
  const { certificates, passwordFile, pkcs11Module, timestampUrl } = key;
  return [
    "sign",
    "-certs",
    certificates,
    "-key",
    key.key,
    ...(passwordFile ? ["-readpass", passwordFile] : []),
    ...(pkcs11Module ? ["-pkcs11module", pkcs11Module] : []),
    "-h",
    "sha256",
    "-n",
    "Certwire",
    ...(timestampUrl ? ["-ts", timestampUrl] : ["-time", `${epochSeconds}`]),
  ];
}

/** Replaces a file by what osslsigncode makes of it; it never writes over a file. */
function replace(path: string, argumentsFor: (signed: string) => string[]): void {
  const directory = mkdtempSync(join(dirname(path), ".certwire-sign-"));
  try {
    const signed = join(directory, basename(path));
    osslsigncode(argumentsFor(signed));
    renameSync(signed, path);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function osslsigncode(args: readonly string[]): void {
  try {
    execFileSync("osslsigncode", args, { encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    if (stdout === undefined) throw error;
    throw new Error(`osslsigncode ${args[0]} failed for ${args.at(-1)}:\n${stderr}${stdout}`, {
      cause: error,
    });
  }
}
