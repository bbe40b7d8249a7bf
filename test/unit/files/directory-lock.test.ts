import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { CertwireError } from "../../../src/errors/certwire-error.ts";
import { lockDirectory } from "../../../src/files/directory-lock.ts";
import { temporaryDirectory } from "../../support/run-cli.ts";

test("one directory has one holder, and the next one after a release", async (context) => {
  const directory = join(temporaryDirectory(context), "not", "there", "yet");
  const lock = await lockDirectory(directory, "a.lock");
  const holder = `process ${process.pid} on .+, running since 2\\d{3}-.+Z, is using ${directory}`;
  await assert.rejects(lockDirectory(directory, "a.lock"), (error) => {
    assert.ok(error instanceof CertwireError);
    assert.equal(error.code, "CERTWIRE_DIRECTORY_IN_USE");
    assert.match(error.message, new RegExp(holder));
    return true;
  });
  (await lockDirectory(directory, "b.lock")).release();
  lock.release();
  lock.release();
  (await lockDirectory(directory, "a.lock")).release();
});

const texts = ["", "no JSON", '\n{"pid":1}\n', '\n{"pid":1,"host":"\\u001b[2J","startedAt":"?"}\n'];

for (const text of texts) {
  test(`a holder that the lock file does not name is another process: ${JSON.stringify(text)}`, async (context) => {
    const directory = temporaryDirectory(context);
    const lock = await lockDirectory(directory, "a.lock");
    writeFileSync(join(directory, "a.lock"), text);
    const message = `another process is using ${directory}`;
    await assert.rejects(lockDirectory(directory, "a.lock"), { message });
    lock.release();
  });
}

test("a directory that cannot be created is reported with the error of the file system", async (context) => {
  const file = join(temporaryDirectory(context), "file");
  writeFileSync(file, "");
  await assert.rejects(lockDirectory(join(file, "below"), "a.lock"), { code: "ENOTDIR" });
});
