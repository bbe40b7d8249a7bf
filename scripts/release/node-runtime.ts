// The official node.exe that a release carries, unchanged.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** A release of Node.js, with the SHA-256 of what is taken from it. */
interface NodeRelease {
  readonly version: string;
  /** Of node.exe for x64. */
  readonly executable: string;
  /** Of its file LICENSE. */
  readonly licence: string;
}

/** By line. 24 is the default; 22 also runs in Wine 8. */
const releases = {
  "24": {
    version: "24.21.0",
    executable: "ba4e6d110e8c1592a1ecd390f6b05f3da124b13871a5be62b341a07a853c6c32",
    licence: "5888dbb9a1d2b18f2c3e6c5f6af1b39de658372b402a0577b002777f14c62ace",
  },
  "22": {
    version: "22.23.3",
    executable: "9c9245166b4a8e182e0b797da9c20136117ff24368eaff1fec8343a123c8db0e",
    licence: "c738ae413cf561f174e34f6961f8ca458aae2369a73640dda6234c629b98bcc4",
  },
} as const satisfies Record<string, NodeRelease>;

/** A line of Node.js that a release can carry. */
export type NodeLine = keyof typeof releases;

/** All lines; the first one is the default. */
export const nodeLines: readonly NodeLine[] = ["24", "22"];

const signer = "/C=US/ST=California/L=San Francisco/O=OpenJS Foundation/CN=OpenJS Foundation";

/** The files of a Node.js that has been checked. */
export interface NodeRuntime {
  readonly version: string;
  /** Path of node.exe. */
  readonly executable: string;
  /** SHA-256 of node.exe, in hex. */
  readonly sha256: string;
  /** Path of its licence. */
  readonly licence: string;
}

/** Fetches node.exe and its licence into var. Throws when one of them is not the pinned file. */
export function fetchNode(line: NodeLine): NodeRuntime {
  const { version, executable: sha256, licence: licenceSha256 } = releases[line];
  const executable = pathFrom("scripts/fetch-node-windows.sh", version);
  // The package for Windows has no licence, and that for Linux has the same one.
  const licence = join(dirname(pathFrom("scripts/fetch-node.sh", version)), "..", "LICENSE");
  assertSha256(executable, sha256);
  assertSha256(licence, licenceSha256);
  assertNamesSigner(executable);
  return { version, executable, sha256, licence };
}

function pathFrom(script: string, version: string): string {
  return execFileSync("bash", [script, version], { encoding: "utf8" }).trim();
}

/** Throws when a file has another SHA-256 than it should have. */
export function assertSha256(path: string, expected: string): void {
  const found = sha256Of(path);
  if (found === expected) return;
  throw new Error(`${path} has the SHA-256 ${found}, expected ${expected}`);
}

/** SHA-256 of a file, in hex. */
export function sha256Of(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

/**
 * Throws when a program has another digest than its signature, or when that names another signer than the OpenJS
 * Foundation. Does not verify the signature, whose root Debian does not trust: the pinned SHA-256 protects. This finds a
 * wrong file before its SHA-256 is pinned.
 */
export function assertNamesSigner(executable: string): void {
  const output = verificationOf(executable);
  const digest = /Current message digest *: ([0-9A-F]{64})\s+Calculated message digest *: \1\s/;
  if (!digest.test(output))
    throw new Error(`${executable} has no signature with its digest:\n${output}`);
  // What follows is about the time stamp.
  const [, certificate = ""] = output.split("Signer's certificate:");
  const subject = /Subject *: (.*)/.exec(certificate)?.[1]?.trim();
  if (subject === signer) return;
  throw new Error(`${executable} names the signer ${subject}, expected ${signer}`);
}

/** What osslsigncode says. It fails, since Debian does not trust the root of Microsoft that signed this signer. */
function verificationOf(executable: string): string {
  try {
    const args = ["verify", "-in", executable];
    return execFileSync("osslsigncode", args, { encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    if (stdout === undefined) throw error;
    return `${stdout}${stderr ?? ""}`;
  }
}
