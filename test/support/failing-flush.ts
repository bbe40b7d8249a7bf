import { open } from "node:fs/promises";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

/** Lets every flush of a file fail as a broken disk does, until the returned function is called. */
export async function failFlushes(t: TestContext): Promise<() => void> {
  const file = await open(fileURLToPath(import.meta.url));
  const prototype = Object.getPrototypeOf(file) as { datasync: () => Promise<void> };
  await file.close();
  const mock = t.mock.method(prototype, "datasync", async () => {
    throw Object.assign(new Error("EIO: i/o error, fdatasync"), { code: "EIO" });
  });
  return () => mock.mock.restore();
}
