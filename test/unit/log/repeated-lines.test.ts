import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import pino from "pino";
import { clock } from "../../../src/clock.ts";
import { RepeatedLines } from "../../../src/log/repeated-lines.ts";
import { PipelineMonitor } from "../../../src/pipeline/monitor.ts";

/** A log in memory under a clock that only the test moves. */
function quietLog(t: TestContext) {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const written: Record<string, unknown>[] = [];
  const write = (line: string) => void written.push(JSON.parse(line));
  return { written, log: pino({ base: null, timestamp: false }, { write }) };
}

const minute = 60_000;

test("a line is logged at once, and its repeats after 1, 2 and 4 minutes with their number", (t) => {
  const { log, written } = quietLog(t);
  const lines = new RepeatedLines(log);
  const write = (lane: number) => lines.write("publishing failed", { lane, kind: "auth" });
  for (let lane = 0; lane < 500; lane += 1) write(lane);
  assert.deepEqual(written, [{ level: 40, lane: 0, kind: "auth", msg: "publishing failed" }]);
  t.mock.timers.tick(minute);
  assert.deepEqual(written.slice(1), [
    { level: 40, lane: 499, kind: "auth", repeated: 499, msg: "publishing failed" },
  ]);
  const minutes = [1, 2, 3, 4, 5, 6, 7].map(() => {
    write(1);
    t.mock.timers.tick(minute);
    return written.length;
  });
  assert.deepEqual(minutes, [2, 3, 3, 3, 3, 4, 4]);
  lines.close();
  assert.equal(written.length, 5, "the rest is logged at the end");
});

test("a line that goes on for a day is logged once an hour at last", (t) => {
  const { log, written } = quietLog(t);
  const lines = new RepeatedLines(log);
  let count = 0;
  for (let passed = 0; passed < 24 * 60; passed += 1) {
    lines.write("cannot open the sink", {}, "error");
    count += 1;
    t.mock.timers.tick(minute);
  }
  lines.close();
  assert.ok(written.length < 35, `${written.length} lines`);
  const logged = written.reduce((sum, { repeated }) => sum + Number(repeated ?? 1), 0);
  assert.equal(logged, count);
});

test("nothing wakes up any more once no line repeats", (t) => {
  const { log, written } = quietLog(t);
  const cleared = t.mock.method(clock, "clear");
  const lines = new RepeatedLines(log);
  lines.write("publishing failed", {});
  t.mock.timers.tick(4 * minute);
  assert.equal(cleared.mock.callCount(), 0);
  t.mock.timers.tick(minute);
  assert.equal(cleared.mock.callCount(), 1);
  lines.write("publishing failed", {});
  lines.write("publishing failed", {});
  t.mock.timers.tick(minute);
  lines.close();
  assert.deepEqual(
    written.map(({ repeated }) => repeated),
    [undefined, undefined, 1],
  );
});

test("another level, message, kind, code or reason is another line", (t) => {
  const { log, written } = quietLog(t);
  const lines = new RepeatedLines(log);
  lines.write("publishing failed", {});
  lines.write("publishing failed", {}, "error");
  lines.write("cannot open the sink", {});
  lines.write("publishing failed", { kind: "x" });
  lines.write("publishing failed", { code: "x" });
  lines.write("dead letter written", { reason: "x" });
  lines.write("dead letter written", { reason: "y" });
  assert.equal(written.length, 7);
  lines.close();
  assert.equal(written.length, 7, "nothing was held back");
});

test("another error is logged at once, but not one that differs in numbers only", (t) => {
  const { log, written } = quietLog(t);
  const lines = new RepeatedLines(log);
  const write = (error: string) => lines.write("cannot open the sink", { code: "C", error });
  for (let hour = 0; hour < 10; hour += 1) {
    for (let port = 0; port < 60; port += 1) {
      write(`connect ECONNREFUSED 10.0.0.${port}:${port}, id 0a${port}c`);
      t.mock.timers.tick(minute);
    }
  }
  const before = written.length;
  assert.ok(before < 20, `${before} lines`);
  write("the topic was deleted");
  assert.equal(written.length, before + 1);
  assert.equal(written.at(-1)?.["error"], "the topic was deleted");
  write("connect ECONNREFUSED 10.0.0.9:9, id 0a9c");
  write("the topic was deleted");
  assert.equal(written.length, before + 1, "both are known");
  lines.close();
});

test("errors that are new all the time do not fill the log", (t) => {
  const { log, written } = quietLog(t);
  const lines = new RepeatedLines(log);
  const word = (n: number) =>
    String(n).replaceAll(/\d/g, (digit) => "qrstuvwxyz"[Number(digit)] ?? "");
  for (let passed = 0; passed < 24 * 60; passed += 1) {
    lines.write("cannot open the sink", { error: `new: ${word(passed)}` });
    t.mock.timers.tick(minute);
  }
  lines.close();
  assert.ok(written.length < 60, `${written.length} lines`);
  const logged = written.reduce((sum, { repeated }) => sum + Number(repeated ?? 1), 0);
  assert.equal(logged, 24 * 60);
});

test("a line that was quiet for five minutes is news again", (t) => {
  const { log, written } = quietLog(t);
  const lines = new RepeatedLines(log);
  lines.write("sink opened", { lanes: 1 });
  t.mock.timers.tick(4 * minute);
  lines.write("sink opened", { lanes: 2 });
  t.mock.timers.tick(6 * minute);
  lines.write("sink opened", { lanes: 3 });
  assert.deepEqual(
    written.map(({ lanes, repeated }) => [lanes, repeated]),
    [
      [1, undefined],
      [2, 1],
      [3, undefined],
    ],
  );
  lines.close();
});

test("the end of a pipeline logs what was held back", (t) => {
  const { log, written } = quietLog(t);
  const monitor = new PipelineMonitor(log);
  const failure = { kind: "config", cause: new Error("no such topic") } as const;
  for (let failures = 1; failures <= 40; failures += 1) {
    monitor.publishFailed(failures % 6, failure, failures, 100);
  }
  monitor.stopped();
  assert.deepEqual(
    written.map(({ msg, repeated }) => [msg, repeated]),
    [
      ["publishing failed", undefined],
      ["publishing failed", 39],
      ["pipeline stopped", undefined],
    ],
  );
});

test("18,000 dead letters and failures of six lanes within a minute take fewer than ten lines", (t) => {
  const { log, written } = quietLog(t);
  const monitor = new PipelineMonitor(log);
  const poison = { kind: "poison", cause: new Error("refused") } as const;
  for (let n = 0; n < 18_000; n += 1) {
    monitor.publishFailed(n % 6, poison, 1, 100);
    monitor.deadLettered("rejected", `id-${n}`, poison.cause, 0);
    monitor.recovered(n % 6, 1);
  }
  t.mock.timers.tick(minute);
  assert.ok(written.length < 10, `${written.length} lines`);
  const sum = written
    .filter(({ msg }) => msg === "dead letter written")
    .reduce((total, { repeated }) => total + Number(repeated ?? 1), 0);
  assert.equal(sum, 18_000);
  monitor.stopped();
});
