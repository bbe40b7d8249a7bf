import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { lockDirectory } from "../../../src/files/directory-lock.ts";
import { isLocked } from "../../../src/files/lock-probe.ts";
import { temporaryDirectory } from "../../support/run-cli.ts";

test("a lock is seen while it is held, without taking it", async (context) => {
  const directory = temporaryDirectory(context);
  const path = join(directory, "state.lock");
  assert.equal(await isLocked(path), false, "no file");
  const lock = await lockDirectory(directory, "state.lock");
  assert.equal(await isLocked(path), true);
  const held = readFileSync(path, "utf8");
  lock.release();
  // In a container the kernel does not show whether somebody else holds it.
  assert.notEqual(await isLocked(path), true);
  const again = await lockDirectory(directory, "state.lock");
  assert.equal(readFileSync(path, "utf8"), held);
  again.release();
});
