import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { exists, statIfExists } from "../../../src/files/existing.ts";
import { checkWritable } from "../../../src/files/writable-directory.ts";
import { checkState } from "../../../src/state/check-state.ts";
import { totalBytes } from "../../../src/state/dead-letter-files.ts";
import { stateLayout } from "../../../src/state/layout.ts";
import { temporaryDirectory } from "../../support/run-cli.ts";

/** Makes every `lstat` fail for want of a right. */
function withoutRights(t: TestContext): void {
  const { mock } = t.mock.method(fs, "lstat", async (path: string) => {
    throw Object.assign(new Error(`EACCES: permission denied, lstat '${path}'`), {
      code: "EACCES",
    });
  });
  syncBuiltinESMExports();
  t.after(() => {
    mock.restore();
    syncBuiltinESMExports();
  });
}

test("a file, a directory and a link exist, wherever the link leads", async (t) => {
  const directory = temporaryDirectory(t);
  const [file, link, missing] = ["file", "link", "missing"].map((name) => join(directory, name));
  assert.ok(file && link && missing);
  writeFileSync(file, "12345");
  symlinkSync("nowhere", link);
  assert.deepEqual(
    [await exists(file), await exists(directory), await exists(link), await exists(missing)],
    [true, true, true, false],
  );
  assert.equal((await statIfExists(file))?.size, 5);
  assert.equal((await statIfExists(link))?.isSymbolicLink(), true);
  assert.equal(await statIfExists(join(missing, "below")), undefined);
});

test("a missing right does not mean that nothing is there", async (t) => {
  const directory = temporaryDirectory(t);
  const layout = stateLayout(join(directory, "state"));
  const letters = layout.deadLetters("k");
  mkdirSync(join(letters, ".."), { recursive: true });
  writeFileSync(letters, "{}\n");
  withoutRights(t);
  const denied = { code: "EACCES" };
  await assert.rejects(exists(letters), denied);
  await assert.rejects(totalBytes(letters), denied, "its size counts");
  await assert.rejects(checkState(layout, ["k"]), denied);
  await assert.rejects(checkWritable(join(directory, "missing")), denied, "it may be a link");
});
