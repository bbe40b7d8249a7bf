// A broker that is down for a day, under timers that only the test moves.
import assert from "node:assert/strict";
import { syncBuiltinESMExports } from "node:module";
import { type TestContext, test } from "node:test";
import { CertwireError } from "../../../src/errors/certwire-error.ts";
import { assessHealth } from "../../../src/health/health.ts";
import { keepHealthLog } from "../../../src/service/health-log.ts";
import type { Observation } from "../../../src/service/live-status.ts";
import { keepProgressLog } from "../../../src/service/progress-log.ts";
import { collectLog } from "../../support/collect-log.ts";
import { MemorySource } from "../../support/memory-source.ts";
import { range, testPipeline } from "../../support/run-pipeline.ts";
import { sampleEvent } from "../../support/sample-events.ts";
import { sampleObservation } from "../../support/sample-observation.ts";
import { ScriptedSink } from "../../support/scripted-sink.ts";
import { turns } from "../../support/until.ts";

const stepMs = 120_000;
const dayMs = 86_400_000;

const refused = () =>
  new CertwireError("CERTWIRE_SINK_UNREACHABLE", "connect ECONNREFUSED 127.0.0.1:5672");

/** A pipeline of six lanes with the logs of its service; `pass` lets virtual time go by. */
async function startService(t: TestContext, sink: ScriptedSink) {
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  // Also for modules that import them by name.
  syncBuiltinESMExports();
  const source = new MemorySource([], { tail: true });
  const limits = { retryInitialMs: 100, retryMaxMs: 15_000, drainTimeoutMs: 1 };
  const { pipeline, monitor, logLines } = await testPipeline(t, source, sink, limits);
  const { log, lines } = collectLog();
  const stop = new AbortController();
  const observe = async (): Promise<Observation> => {
    const facts = { name: "scripted", troubles: monitor.troubles().troubles };
    const health = assessHealth({ service: "running", sinks: [facts] }, Date.now());
    const sample = sampleObservation();
    return { ...sample, status: { ...sample.status, ...health, reasons: [...health.reasons] } };
  };
  const tasks = [
    pipeline.run(stop.signal),
    keepProgressLog({ stats: () => [pipeline.stats()], log }, stop.signal),
    keepHealthLog({ status: { observe }, log }, stop.signal),
  ];
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += stepMs) {
      t.mock.timers.tick(stepMs);
      await turns(4);
    }
  };
  t.after(async () => {
    stop.abort();
    await pass(stepMs * 10);
    await Promise.all(tasks);
    t.mock.timers.reset();
    syncBuiltinESMExports();
  });
  /** Lines of level info and more. */
  const written = () => [...logLines, ...lines].filter(({ level }) => Number(level) >= 30);
  return { pipeline, source, pass, written };
}

function countOf(lines: readonly Record<string, unknown>[], wanted: string): number {
  return lines.filter(({ msg }) => msg === wanted).length;
}

test("a broker that goes away for a day writes fewer than 200 lines, with the first at once", async (t) => {
  const sink = new ScriptedSink(6);
  const { pipeline, source, pass, written } = await startService(t, sink);
  for (const n of range(1, 60)) source.push(sampleEvent(n, `key-${n}`));
  await pass(600_000);
  assert.equal(pipeline.stats().acknowledgedEvents, 60);
  const before = written().length;
  sink.script = () => ({ acknowledged: 0, failure: { kind: "reset", cause: refused() } });
  for (const n of range(61, 120)) source.push(sampleEvent(n, `key-${n}`));
  await pass(dayMs);
  const day = written().slice(before);
  const tries = pipeline.stats().failures.reset;
  assert.ok(tries > 3000, `the service tries again all day: ${tries} times`);
  assert.ok(day.length < 200, `${day.length} lines`);
  assert.ok(countOf(day, "the health is failing") === 1 && countOf(day, "progress") > 20);
  assert.ok(countOf(day, "publishing failed") > 20, "the outage does not go out of sight");
});

test("a broker that is not there at the start writes fewer than 200 lines in a day", async (t) => {
  const sink = new ScriptedSink(6);
  sink.onOpen = () => {
    throw refused();
  };
  const { pipeline, pass, written } = await startService(t, sink);
  await pass(dayMs);
  const day = written();
  const tries = pipeline.stats().openFailures;
  assert.ok(tries > 500, `the service tries again all day: ${tries} times`);
  assert.ok(day.length < 200, `${day.length} lines`);
  assert.ok(countOf(day, "cannot open the sink") > 20);
});
