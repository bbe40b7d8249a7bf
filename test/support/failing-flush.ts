import { readlinkSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { basename } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

type Flushing = Pick<FileHandle, "fd" | "datasync" | "stat" | "sync" | "write">;
type WriteBytes = (bytes: Buffer, from: number, count: number, at: number) => Promise<object>;

async function fileHandlePrototype(): Promise<Flushing> {
  const file = await open(fileURLToPath(import.meta.url));
  await file.close();
  return Object.getPrototypeOf(file) as Flushing;
}

/**
 * Lets a write to a file end after `most` bytes, as the operating system may, and fail once `space` bytes are written, until the
 * returned function is called. Default: no limit of space.
 */
export async function shortenWrites(
  t: TestContext,
  most: number,
  space = Number.POSITIVE_INFINITY,
): Promise<() => void> {
  const prototype = await fileHandlePrototype();
  const write = prototype.write as WriteBytes;
  let left = space;
  const short: WriteBytes = async function (this: Flushing, bytes, from, count, at) {
    if (left === 0) throw Object.assign(new Error("ENOSPC: no space left"), { code: "ENOSPC" });
    const part = Math.min(count, most, left);
    left -= part;
    return write.call(this, bytes, from, part, at);
  };
  const mock = t.mock.method(prototype, "write", short as never);
  return () => mock.mock.restore();
}

/** Lets every flush of a file fail as a broken disk does, until the returned function is called. */
export async function failFlushes(t: TestContext): Promise<() => void> {
  const mock = t.mock.method(await fileHandlePrototype(), "datasync", async () => {
    throw Object.assign(new Error("EIO: i/o error, fdatasync"), { code: "EIO" });
  });
  return () => mock.mock.restore();
}

/** Lets every flush of a directory fail until `repair`; `flushed` counts those that worked since. */
export async function failDirectoryFlushes(t: TestContext) {
  const prototype = await fileHandlePrototype();
  const { sync } = prototype;
  let [isBroken, flushed] = [true, 0];
  t.mock.method(prototype, "sync", async function (this: Flushing) {
    if (!(await this.stat()).isDirectory()) return sync.call(this);
    if (isBroken) throw Object.assign(new Error("EIO: i/o error, fsync"), { code: "EIO" });
    await sync.call(this);
    flushed += 1;
  });
  return { repair: () => void (isBroken = false), flushed: () => flushed };
}

/** Holds every flush of the files called `name`, as a disk that hangs does, until `release`. */
export async function holdFlushes(t: TestContext, name: string) {
  const prototype = await fileHandlePrototype();
  const { datasync } = prototype;
  let [held, release] = [0, (): void => undefined];
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  t.mock.method(prototype, "datasync", async function (this: Flushing) {
    if (basename(readlinkSync(`/proc/self/fd/${this.fd}`)) === name) {
      held += 1;
      await released;
    }
    return datasync.call(this);
  });
  return { held: () => held, release };
}
