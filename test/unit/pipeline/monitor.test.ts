import assert from "node:assert/strict";
import { test } from "node:test";
import pino from "pino";
import { CertwireError } from "../../../src/errors/certwire-error.ts";
import type { EventKind } from "../../../src/events/event.ts";
import { PipelineMonitor } from "../../../src/pipeline/monitor.ts";

const error = new Error("no space");

function setUp() {
  const lines: Record<string, unknown>[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) });
  let now = 0;
  const monitor = new PipelineMonitor(log, { now: () => now });
  return { monitor, lines, pass: (ms: number) => (now += ms) };
}

test("a checkpoint that cannot be written is an alarm until one is written", () => {
  const { monitor } = setUp();
  monitor.checkpointFailed(error);
  assert.equal(monitor.health, "alarm");
  monitor.checkpointed();
  assert.equal(monitor.health, "publishing");
});

test("a dead letter is an alarm for ten minutes", () => {
  const { monitor, pass } = setUp();
  monitor.deadLettered("rejected", "1", error, 0);
  assert.equal(monitor.health, "alarm");
  pass(599_999);
  assert.equal(monitor.health, "alarm");
  pass(1);
  assert.equal(monitor.health, "publishing");
});

test("a dead letter that cannot be written is a retry, at the limit an alarm at once", () => {
  const { monitor } = setUp();
  monitor.deadLetterFailed(error, 1, 5);
  assert.equal(monitor.health, "retrying");
  monitor.deadLetterFailed(error, 10, 5);
  assert.equal(monitor.health, "alarm");
  const { monitor: other } = setUp();
  other.deadLetterFailed(new CertwireError("CERTWIRE_DEAD_LETTERS_FULL", "full"), 1, 5);
  assert.equal(other.health, "alarm");
});

test("dead letters near their limit are reported before it is reached, once", () => {
  const { monitor, lines } = setUp();
  for (const fill of [0.79, 0.8, 0.9]) monitor.deadLettered("rejected", "1", error, fill);
  assert.equal(monitor.health, "alarm");
  const near = lines.filter(({ msg }) => /near their limit/.test(String(msg)));
  assert.deepEqual(
    near.map(({ level, percent }) => [level, percent]),
    [[50, 80]],
  );
});

test("a redrive, which writes no dead letter, says what became of a refused one instead", () => {
  const messages: string[] = [];
  const log = pino({}, { write: (line: string) => void messages.push(JSON.parse(line).msg) });
  const monitor = new PipelineMonitor(log, { deadLetterLine: "the letter was refused again" });
  monitor.deadLettered("rejected", "1", error, 0);
  assert.deepEqual(messages, ["the letter was refused again"]);
});

test("lanes that change again and again without an acknowledgement are not publishing", () => {
  const { monitor } = setUp();
  monitor.sinkOpened(2);
  monitor.lanesChanging(error);
  monitor.sinkOpened(2);
  assert.equal(monitor.health, "retrying");
  for (let n = 0; n < 9; n += 1) monitor.lanesChanging(error);
  assert.equal(monitor.health, "alarm");
  monitor.acknowledged(1, 100);
  assert.equal(monitor.health, "publishing");
});

test("lanes that change until an event becomes a dead letter are not retrying afterwards", () => {
  const { monitor, pass } = setUp();
  monitor.sinkOpened(2);
  monitor.lanesChanging(error);
  monitor.sinkOpened(2);
  monitor.deadLettered("unroutable", "1", error, 0);
  pass(600_000);
  assert.equal(monitor.health, "publishing");
});

test("a lane that fails while the lanes change is forgotten with its number", () => {
  const { monitor } = setUp();
  monitor.sinkOpened(4);
  monitor.lanesChanging(error);
  monitor.publishFailed(3, { kind: "retry-identical", cause: error }, 1, 5);
  monitor.sinkOpened(2);
  monitor.acknowledged(1, 100);
  assert.deepEqual(monitor.troubles().troubles, []);
  assert.equal(monitor.health, "publishing");
});

test("a source that cannot be read and a sink that cannot be opened again are not publishing", () => {
  const { monitor } = setUp();
  monitor.sourceFailed(error, 1, 5);
  assert.equal(monitor.health, "retrying");
  monitor.sourceRead();
  monitor.lanesChanging(error);
  monitor.openFailed(error, 10, 5);
  assert.equal(monitor.health, "alarm");
  monitor.sinkOpened(1);
  assert.equal(monitor.health, "retrying");
  monitor.acknowledged(1, 100);
  assert.equal(monitor.health, "publishing");
});

test("what fails is reported with its error and for how long, until it works", () => {
  const { monitor, pass } = setUp();
  const refused = new CertwireError("CERTWIRE_SINK_AUTH", "refused");
  monitor.openFailed(refused, 1, 5);
  pass(1000);
  monitor.openFailed(refused, 2, 5);
  pass(500);
  assert.deepEqual(monitor.troubles().troubles, [
    { part: "open", isAlarm: false, forMs: 1500, error: "refused", code: "CERTWIRE_SINK_AUTH" },
  ]);
  monitor.sinkOpened(1);
  monitor.publishFailed(4, { kind: "config", cause: error }, 1, 5);
  assert.deepEqual(monitor.troubles().troubles, [
    { part: 4, isAlarm: true, forMs: 0, error: "no space", kind: "config" },
  ]);
  monitor.recovered(4, 1);
  assert.deepEqual(monitor.troubles(), { troubles: [], deadKinds: [] });
});

test("a kind is dead while nothing but dead letters comes out of it", () => {
  const { monitor, pass } = setUp();
  for (const id of ["1", "2"]) {
    monitor.deadLettered("rejected", id, error, 0.25, "crl.issued");
    pass(100);
  }
  const event = (kind: EventKind) => ({
    event: { kind, attributes: { recordedtime: "2026-01-01" } },
  });
  monitor.acknowledged(1, 10, [event("certificate.issued")]);
  const { deadKinds } = monitor.troubles();
  assert.deepEqual(deadKinds, [{ kind: "crl.issued", count: 2, forMs: 200, newestMs: 100 }]);
  monitor.acknowledged(1, 10, [event("crl.issued")]);
  assert.deepEqual(monitor.troubles().deadKinds, []);
});

test("a gap counts unless it is an unclean stop alone", () => {
  const { monitor, pass } = setUp();
  monitor.gapRead("1", { reason: "unclean-stop" });
  assert.equal(monitor.troubles().gapAgeMs, undefined);
  monitor.gapRead("2", { reason: "corrupt" });
  pass(7);
  assert.equal(monitor.troubles().gapAgeMs, 7);
});
