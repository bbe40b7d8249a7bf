import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import pino from "pino";
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

test("a line is logged at once, and its repeats once a minute with their number", (t) => {
  const { log, written } = quietLog(t);
  const lines = new RepeatedLines(log);
  for (let lane = 0; lane < 500; lane += 1) lines.write("warn", { lane, kind: "auth" }, "failed");
  assert.deepEqual(written, [{ level: 40, lane: 0, kind: "auth", msg: "failed" }]);
  t.mock.timers.tick(minute);
  assert.deepEqual(written.slice(1), [
    { level: 40, lane: 499, kind: "auth", repeated: 499, msg: "failed" },
  ]);
  lines.close();
});

test("another level, message, kind, code or reason is another line", (t) => {
  const { log, written } = quietLog(t);
  const lines = new RepeatedLines(log);
  lines.write("warn", {}, "failed");
  lines.write("error", {}, "failed");
  lines.write("warn", {}, "failed to open");
  for (const field of ["kind", "code", "reason"]) lines.write("warn", { [field]: "x" }, "failed");
  assert.equal(written.length, 6);
  lines.close();
  assert.equal(written.length, 6, "nothing was held back");
});

test("a line that was quiet for a minute is news again", (t) => {
  const { log, written } = quietLog(t);
  const lines = new RepeatedLines(log);
  lines.write("warn", { n: 1 }, "failed");
  t.mock.timers.tick(minute);
  lines.write("warn", { n: 2 }, "failed");
  assert.deepEqual(
    written.map(({ n }) => n),
    [1, 2],
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
