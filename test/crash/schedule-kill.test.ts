// A service whose process is killed at any point of a scheduled comparison.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { dispositions } from "../../src/exit/ca-codes.ts";
import { FindingsPlace } from "../../src/reconcile/publish-findings.ts";
import { ReportedFindings } from "../../src/reconcile/reported-findings.ts";
import { killPoints, type ScheduleTask } from "../support/mortal-schedule.ts";
import { published } from "../support/published-files.ts";
import { ReconcileScene } from "../support/reconcile-scene.ts";

const program = join(import.meta.dirname, "..", "support", "mortal-schedule.js");
const day = 86_400_000;
const requests = 40;

async function run(t: TestContext, task: ScheduleTask) {
  const child = spawn(process.execPath, [program, JSON.stringify(task)], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  t.after(() => child.kill("SIGKILL"));
  const [stderr, [code, signal]] = await Promise.all([text(child.stderr), once(child, "exit")]);
  return { code, signal, stderr };
}

test("a service that is killed at any point of a comparison publishes each finding, and always with the same id", async (t) => {
  const scene = new ReconcileScene(t);
  await scene.flushed();
  const rows = Array.from({ length: requests }, (_, index) => ({
    id: index + 2,
    disposition: dispositions.issued,
    submitted: scene.begin,
    resolved: scene.begin,
    certificate: ReconcileScene.certificate(index).toString("base64"),
  }));
  const common = { journal: scene.journal, state: scene.state, rows };
  let startMs = Date.now() + day;
  const findings = () => published(join(scene.state, "events", "reconcile"));
  /** How often each finding was published whose acknowledgement is on disk. */
  const acknowledged = async (): Promise<Map<string | undefined, number>> => {
    const reported = await ReportedFindings.open(scene.paths.reported);
    const path = scene.paths.reportedTo("files");
    const { number } = await FindingsPlace.open(path, reported.numbers);
    const waiting = new Set(reported.after(number).map(({ requestId }) => `request/${requestId}`));
    const counts = new Map<string | undefined, number>();
    for (const { subject } of findings()) {
      if (!waiting.has(String(subject))) counts.set(subject, (counts.get(subject) ?? 0) + 1);
    }
    return counts;
  };
  const final = new Map<string | undefined, number>();
  for (const [number, at] of killPoints.entries()) {
    const kill = { at, turns: (number * 7) % 11 };
    const { signal, stderr } = await run(t, { ...common, startMs, kill });
    assert.equal(signal, "SIGKILL", `${at}: ${stderr}`);
    for (const [subject, count] of await acknowledged()) {
      const before = final.get(subject) ?? count;
      assert.equal(count, before, `${subject} came again after its acknowledgement was on disk`);
      final.set(subject, count);
    }
    startMs += day;
  }
  assert.ok(final.size > 0, "none was acknowledged");
  for (const _ of ["the rest", "nothing"]) {
    const { code, stderr } = await run(t, { ...common, startMs });
    assert.equal(code, 0, stderr);
    const subjects = findings().map(({ subject }) => subject);
    assert.equal(new Set(subjects).size, requests);
    assert.equal(new Set(findings().map(({ id }) => id)).size, requests);
    startMs += day;
  }
  for (const [subject, count] of final) {
    assert.equal(findings().filter((event) => event.subject === subject).length, count);
  }
  const before = findings().length;
  assert.equal((await run(t, { ...common, startMs })).code, 0);
  assert.equal(findings().length, before, "what is acknowledged is not published again");
});
