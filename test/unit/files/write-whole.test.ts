import assert from "node:assert/strict";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { writeWhole } from "../../../src/files/write-whole.ts";
import { shortenWrites } from "../../support/failing-flush.ts";
import { temporaryDirectory } from "../../support/run-cli.ts";

async function opened(t: TestContext) {
  const path = join(temporaryDirectory(t), "file");
  const file = await open(path, "w+");
  t.after(() => file.close());
  return { path, file };
}

const bytes = Buffer.from("0123456789");

test("all bytes are written where the operating system writes some of them", async (t) => {
  const { path, file } = await opened(t);
  await shortenWrites(t, 3);
  await writeWhole(file, bytes, 0);
  await writeWhole(file, Buffer.from("abcd"), 8);
  assert.equal(await readFile(path, "utf8"), "01234567abcd");
});

test("a disk without space for all bytes is an error", async (t) => {
  const { file } = await opened(t);
  await shortenWrites(t, 3, 7);
  await assert.rejects(writeWhole(file, bytes, 0), { code: "ENOSPC" });
});

test("a file that takes nothing is an error", async () => {
  const buffer = bytes;
  const file = { write: async () => ({ bytesWritten: 0, buffer }) } as never;
  await assert.rejects(writeWhole(file, bytes, 0), { message: "0 of 10 bytes written" });
});
