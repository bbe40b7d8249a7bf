import assert from "node:assert/strict";
import { appendFileSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { RedrivenMarks } from "../../../src/state/redriven.ts";
import { temporaryDirectory } from "../../support/run-cli.ts";

const time = "2026-01-31T12:00:00.000Z";
const times = [time];

test("a mark is there after a restart, and belongs to one sink", async (context) => {
  const path = join(temporaryDirectory(context), "redriven.ndjson");
  const marks = await RedrivenMarks.read(path);
  await marks.add([
    { sink: "a", id: "1", times },
    { sink: "a", id: "2", times },
  ]);
  await marks.close();
  const again = await RedrivenMarks.read(path);
  const isMarked = (sink: string, id: string) => again.timeOf({ sink, id, time }) !== undefined;
  assert.deepEqual([isMarked("a", "1"), isMarked("a", "2")], [true, true]);
  assert.deepEqual([isMarked("b", "1"), isMarked("a", "3")], [false, false]);
  assert.equal(statSync(path).mode & 0o077, 0, "only the service may read it");
});

test("a mark that a crash cut off does not count, and the next one is whole", async (context) => {
  const path = join(temporaryDirectory(context), "redriven.ndjson");
  const marks = await RedrivenMarks.read(path);
  await marks.add([{ sink: "a", id: "1", times }]);
  await marks.close();
  appendFileSync(path, '{"sink":"a","id":"2"');
  const next = await RedrivenMarks.read(path);
  assert.equal(next.timeOf({ sink: "a", id: "2", time }), undefined);
  await next.add([{ sink: "a", id: "3", times }]);
  await next.close();
  const last = await RedrivenMarks.read(path);
  assert.ok(last.timeOf({ sink: "a", id: "1", time }));
  assert.ok(last.timeOf({ sink: "a", id: "3", time }));
  assert.equal(readFileSync(path, "utf8").split("\n").length, 4);
});

test("a mark counts for the letters that it names, whatever a clock said: their event may become a dead letter once more", async (context) => {
  const path = join(temporaryDirectory(context), "redriven.ndjson");
  const marks = await RedrivenMarks.read(path);
  const [later, earlier] = ["2099-01-01T00:00:00.000Z", "2001-01-01T00:00:00.000Z"];
  await marks.add([{ sink: "a", id: "1", times: [time, later] }]);
  await marks.close();
  const again = await RedrivenMarks.read(path);
  for (const each of [marks, again]) {
    assert.ok(each.timeOf({ sink: "a", id: "1", time }));
    assert.ok(each.timeOf({ sink: "a", id: "1", time: later }));
    assert.equal(each.timeOf({ sink: "a", id: "1", time: earlier }), undefined);
  }
});

test("marks of several lanes are written one after the other, to one file", async (context) => {
  const path = join(temporaryDirectory(context), "redriven.ndjson");
  const marks = await RedrivenMarks.read(path);
  const ids = Array.from({ length: 200 }, (_, n) => String(n));
  await Promise.all(ids.map((id) => marks.add([{ sink: "a", id, times }])));
  await marks.close();
  const again = await RedrivenMarks.read(path);
  assert.ok(ids.every((id) => again.timeOf({ sink: "a", id, time }) !== undefined));
});

test("damage in the file of the marks hides no mark but its own", async (context) => {
  const path = join(temporaryDirectory(context), "redriven.ndjson");
  const whole = (id: string) =>
    `${JSON.stringify({ sink: "a", id, letter: time, time: "2026-02-01T00:00:00Z" })}\n`;
  const damage = [Buffer.alloc(600_000), Buffer.from(`\n${"x".repeat(5000)}\n\u0000{\n`)];
  writeFileSync(
    path,
    Buffer.concat([...damage, Buffer.from(whole("1")), ...damage, Buffer.from(whole("2"))]),
  );
  const marks = await RedrivenMarks.read(path);
  assert.ok(marks.timeOf({ sink: "a", id: "1", time }));
  assert.ok(marks.timeOf({ sink: "a", id: "2", time }));
});
