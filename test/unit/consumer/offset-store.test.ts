import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { FileOffsets } from "../../../src/consumer/rabbitmq/offset-store.ts";
import { temporaryDirectory } from "../../support/run-cli.ts";

test("a file keeps the last offset and nothing beside it", async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, "deeper", "offset");
  const store = new FileOffsets(path);
  assert.equal(await store.load(), undefined);
  for (const offset of [-1n, 0n, 7n, 2n ** 60n]) {
    await store.save(offset);
    assert.equal(await new FileOffsets(path).load(), offset);
  }
  assert.equal(await new FileOffsets(path).load(), 2n ** 60n);
  assert.equal(readFileSync(path, "utf8"), `${2n ** 60n}\n`);
  assert.deepEqual(readdirSync(join(directory, "deeper")), ["offset"]);
});

test("a file with something else, and one that cannot be written, are errors", async (t) => {
  const path = join(temporaryDirectory(t), "offset");
  for (const text of ["12", "-2\n", "--1\n", "x\n"]) {
    writeFileSync(path, text);
    await assert.rejects(new FileOffsets(path).load(), { code: "CERTWIRE_OFFSETS_FAILED" });
  }
  const below = new FileOffsets(join(path, "offset"));
  await assert.rejects(below.save(1n), { code: "CERTWIRE_OFFSETS_FAILED" });
});
