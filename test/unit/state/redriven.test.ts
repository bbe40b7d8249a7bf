import assert from "node:assert/strict";
import { appendFileSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { RedrivenMarks } from "../../../src/state/redriven.ts";
import { temporaryDirectory } from "../../support/run-cli.ts";

test("a mark is there after a restart, and belongs to one sink", async (context) => {
  const path = join(temporaryDirectory(context), "redriven.ndjson");
  const marks = await RedrivenMarks.read(path);
  await marks.add([
    { sink: "a", id: "1" },
    { sink: "a", id: "2" },
  ]);
  await marks.close();
  const again = await RedrivenMarks.read(path);
  const isMarked = (sink: string, id: string) => again.timeOf({ sink, id }) !== undefined;
  assert.deepEqual([isMarked("a", "1"), isMarked("a", "2")], [true, true]);
  assert.deepEqual([isMarked("b", "1"), isMarked("a", "3")], [false, false]);
  assert.equal(statSync(path).mode & 0o077, 0, "only the service may read it");
});

test("a mark that a crash cut off does not count, and the next one is whole", async (context) => {
  const path = join(temporaryDirectory(context), "redriven.ndjson");
  const marks = await RedrivenMarks.read(path);
  await marks.add([{ sink: "a", id: "1" }]);
  await marks.close();
  appendFileSync(path, '{"sink":"a","id":"2"');
  const next = await RedrivenMarks.read(path);
  assert.equal(next.timeOf({ sink: "a", id: "2" }), undefined);
  await next.add([{ sink: "a", id: "3" }]);
  await next.close();
  const last = await RedrivenMarks.read(path);
  assert.ok(last.timeOf({ sink: "a", id: "1" }));
  assert.ok(last.timeOf({ sink: "a", id: "3" }));
  assert.equal(readFileSync(path, "utf8").split("\n").length, 4);
});
