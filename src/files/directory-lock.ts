import { constants } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { clock } from "../clock.ts";
import { CertwireError } from "../errors/certwire-error.ts";
import { loadNative, type NativeFileLock } from "../native/addon.ts";
import { kibibyte } from "../units.ts";
import { directoryModes, type FileAccess, fileModes, noFollow, readFlags } from "./append-file.ts";

const lockHolder = z.object({
  pid: z.int(),
  host: z.string().regex(/^[\w.-]{1,255}$/),
  startedAt: z.iso.datetime(),
});

const lockFlags = constants.O_WRONLY | constants.O_CREAT | noFollow;

/** Maximum length of a holder's text that is read, in bytes. */
const maxHolderBytes = kibibyte;

/**
 * Makes this process the only writer of a directory, by an operating-system lock on the file `name` in it.
 * The file is never deleted; it names the process that holds the lock, or held it last. Rejects with
 * CERTWIRE_DIRECTORY_IN_USE when another process has the lock, else with the error of the file system.
 */
export async function lockDirectory(
  directory: string,
  name: string,
  access: FileAccess = "shared",
): Promise<NativeFileLock> {
  const path = join(directory, name);
  await mkdir(directory, { recursive: true, mode: directoryModes[access] });
  // Node's errors say more than the addon's, which are numbers only.
  await (await open(path, lockFlags, fileModes[access])).close();
  const lock = await loadNative().lockFile(path, describeThisProcess());
  if (lock !== null) return lock;
  const holder = await readHolder(path).catch(() => "another process");
  throw new CertwireError("CERTWIRE_DIRECTORY_IN_USE", `${holder} is using ${directory}`);
}

function describeThisProcess(): string {
  const startedAt = new Date(clock.startedMs).toISOString();
  const holder: LockHolder = { pid: process.pid, host: hostname(), startedAt };
  return JSON.stringify(holder);
}

/** The process that holds or last held a lock. */
export type LockHolder = z.infer<typeof lockHolder>;

async function readHolder(path: string): Promise<string> {
  const { pid, host, startedAt } = await readLockHolder(path);
  return `process ${pid} on ${host}, running since ${startedAt},`;
}

/** Reads whom a lock file names. Rejects if it names nobody, or with the error of the file system. */
export async function readLockHolder(path: string): Promise<LockHolder> {
  const file = await open(path, readFlags);
  try {
    // The lock covers the first byte, which no other process can read on Windows.
    const { buffer, bytesRead } = await file.read(Buffer.alloc(maxHolderBytes), 0, undefined, 1);
    const [line = ""] = buffer.toString("utf8", 0, bytesRead).split("\n");
    return lockHolder.parse(JSON.parse(line));
  } finally {
    await file.close();
  }
}
