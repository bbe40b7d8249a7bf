import assert from "node:assert/strict";
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
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

/** Marks for these ids, in a file. */
async function marksOf(path: string, ids: readonly string[]): Promise<RedrivenMarks> {
  const marks = await RedrivenMarks.read(path);
  await marks.add(ids.map((id) => ({ sink: "a", id, times })));
  return marks;
}

function markedOf(marks: RedrivenMarks, ids: readonly string[]): string[] {
  return ids.filter((id) => marks.timeOf({ sink: "a", id, time }) !== undefined);
}

test("marks of letters that are gone are dropped, and every other is as it was", async (context) => {
  const directory = temporaryDirectory(context);
  const path = join(directory, "redriven.ndjson");
  const ids = ["1", "2 with spaces", "3", "4"];
  const marks = await marksOf(path, ids);
  const unfound = marks.unfound();
  unfound.found({ sink: "a", id: "2 with spaces", time });
  unfound.found({ sink: "a", id: "4", time });
  unfound.found({ sink: "b", id: "3", time });
  const before = marks.timeOf({ sink: "a", id: "4", time });
  await marks.drop(unfound);
  await marks.add([{ sink: "a", id: "5", times }]);
  await marks.close();
  const again = await RedrivenMarks.read(path);
  for (const each of [marks, again]) {
    assert.deepEqual(markedOf(each, [...ids, "5"]), ["2 with spaces", "4", "5"]);
    assert.equal(each.timeOf({ sink: "a", id: "4", time }), before);
  }
  assert.equal(statSync(path).mode & 0o077, 0, "only the service may read it");
  assert.deepEqual(readdirSync(directory), ["redriven.ndjson"]);
});

test("a file of marks is as it was if it cannot be replaced", async (context) => {
  const directory = temporaryDirectory(context);
  const path = join(directory, "redriven.ndjson");
  const marks = await marksOf(path, ["1", "2"]);
  mkdirSync(`${path}.new`); // nothing can be written there
  await assert.rejects(marks.drop(marks.unfound()));
  await marks.add([{ sink: "a", id: "3", times }]);
  await marks.close();
  const again = await RedrivenMarks.read(path);
  for (const each of [marks, again]) {
    assert.deepEqual(markedOf(each, ["1", "2", "3"]), ["1", "2", "3"]);
  }
});

test("what a crash has left of a new file of marks, or a link in its place, is replaced", async (context) => {
  const directory = temporaryDirectory(context);
  const path = join(directory, "redriven.ndjson");
  const victim = join(directory, "victim");
  writeFileSync(victim, "precious");
  symlinkSync(victim, `${path}.new`);
  const marks = await marksOf(path, ["1"]);
  await marks.drop(marks.unfound());
  await marks.close();
  assert.equal(readFileSync(victim, "utf8"), "precious");
  assert.equal(readFileSync(path, "utf8"), "");
});
