import assert from "node:assert/strict";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { FileOutput } from "../../../src/files/file-output.ts";
import { StandardOutput } from "../../../src/files/standard-output.ts";
import { temporaryDirectory } from "../../support/run-cli.ts";

type Done = (error: Error | null, count: number) => void;

/** A disk with space for `bytes`, which then answers ENOSPC until the returned function frees it. */
function fillDisk(context: TestContext, bytes: number): () => void {
  let left = bytes;
  const real = fs.write.bind(fs);
  const limited = (
    file: number,
    data: Buffer,
    from: number,
    count: number,
    _at: null,
    done: Done,
  ) => {
    if (left === 0) return done(Object.assign(new Error("full"), { code: "ENOSPC" }), 0);
    const some = Math.min(left, count);
    left -= some;
    real(file, data, from, some, null, done);
  };
  const mocked = context.mock.method(fs, "write", limited as typeof fs.write);
  syncBuiltinESMExports();
  context.after(() => {
    mocked.mock.restore();
    syncBuiltinESMExports();
  });
  return () => (left = Number.MAX_SAFE_INTEGER);
}

function openFile(context: TestContext) {
  const path = join(temporaryDirectory(context), "out");
  const fd = fs.openSync(path, "w");
  context.after(() => fs.closeSync(fd));
  return { output: new FileOutput(fd), read: () => fs.readFileSync(path, "utf8") };
}

function write(output: FileOutput, lines: string): Promise<Error | undefined> {
  return new Promise((resolve) => output.write(lines, (error) => resolve(error ?? undefined)));
}

test("a short write is not taken for a whole one: the error of the rest is reported", async (t) => {
  const { output, read } = openFile(t);
  const free = fillDisk(t, 6);
  assert.equal(((await write(output, "one\ntwo\n")) as NodeJS.ErrnoException).code, "ENOSPC");
  assert.equal(read(), "one\ntw");
  free();
  assert.equal(await write(output, "two\n"), undefined);
  assert.equal(read(), "one\ntw\ntwo\n", "the line that was cut off is ended first");
});

test("what is lost once stays a failure, also when the disk has space again", async (t) => {
  const { output } = openFile(t);
  const free = fillDisk(t, 0);
  const standard = new StandardOutput(output);
  await standard.print("one\n");
  assert.equal(standard.ended.aborted, true);
  free();
  await standard.print("two\n");
  assert.equal(standard.failure, undefined);
  await assert.rejects(standard.finished(), { code: "CERTWIRE_OUTPUT_FAILED" });
});
