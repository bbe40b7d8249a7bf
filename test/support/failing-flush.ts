import { readlinkSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { basename } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

type Flushing = Pick<FileHandle, "fd" | "datasync">;
type Writing = Pick<FileHandle, "write">;

async function fileHandlePrototype(): Promise<Flushing & Writing> {
  const file = await open(fileURLToPath(import.meta.url));
  await file.close();
  return Object.getPrototypeOf(file) as Flushing & Writing;
}

/** Lets every flush of a file fail as a broken disk does, until the returned function is called. */
export async function failFlushes(t: TestContext): Promise<() => void> {
  const mock = t.mock.method(await fileHandlePrototype(), "datasync", async () => {
    throw Object.assign(new Error("EIO: i/o error, fdatasync"), { code: "EIO" });
  });
  return () => mock.mock.restore();
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

/** Lets the operating system write at most `most` bytes at once, as it may, and none at all once `space` bytes are written. */
export async function shortenWrites(
  t: TestContext,
  most: number,
  space = Number.POSITIVE_INFINITY,
): Promise<() => void> {
  const prototype = await fileHandlePrototype();
  const write = prototype.write as (
    this: Writing,
    bytes: Buffer,
    offset: number,
    length: number,
    position: number,
  ) => Promise<{ bytesWritten: number; buffer: Buffer }>;
  let left = space;
  const mock = t.mock.method(prototype, "write", async function (
    this: Writing,
    bytes: Buffer,
    offset: number,
    length: number,
    position: number,
  ) {
    if (left === 0) throw Object.assign(new Error("ENOSPC: no space left"), { code: "ENOSPC" });
    const part = Math.min(length, most, left);
    left -= part;
    return write.call(this, bytes, offset, part, position);
  } as Writing["write"]);
  return () => mock.mock.restore();
}
