import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { clock } from "../../../src/clock.ts";
import type { Status } from "../../../src/health/status.ts";
import { keepHealthLog } from "../../../src/service/health-log.ts";
import { collectLog } from "../../support/collect-log.ts";
import { sampleObservation } from "../../support/sample-observation.ts";

const second = 1000;

/** What is logged of states, each with its reasons, that are seen every 30 s. */
async function linesOf(
  t: TestContext,
  states: readonly (readonly [Status["state"], ...string[]])[],
) {
  const { log, lines } = collectLog();
  const stop = new AbortController();
  let nowMs = 0;
  t.mock.method(clock, "now", () => nowMs);
  const observation = sampleObservation();
  let seen = 0;
  const observe = async () => {
    const [state = "ok", ...codes] = states[seen] ?? states.at(-1) ?? [];
    seen += 1;
    nowMs = seen * 30 * second;
    if (seen > states.length) stop.abort();
    const reasons = codes.map((code) => ({
      ...observation.status.reasons[0]!,
      code,
      sink: "kafka",
      state,
    }));
    return { ...observation, status: { ...observation.status, state, reasons } as Status };
  };
  await keepHealthLog({ status: { observe }, log, intervalMs: 1 }, stop.signal);
  return lines.map(({ msg, reasons }) => [msg, reasons]);
}

const unreachable = ["failing", "sink-unreachable"] as const;
const busy = ["failing", "sink-busy"] as const;
const both = ["failing", "sink-unreachable", "sink-busy"] as const;

test("a reason that comes is logged at once, and so is the end of all", async (t) => {
  assert.deepEqual(await linesOf(t, [["ok"], busy, busy, both, ["ok"], ["ok"]]), [
    ["the health is failing", ["sink-busy kafka"]],
    ["the health is failing", ["sink-unreachable kafka", "sink-busy kafka"]],
    ["the health is ok again", undefined],
  ]);
});

test("a reason that comes and goes for an hour is logged every 5 minutes, and how it ended", async (t) => {
  const hour = Array.from({ length: 120 }, (_, index) => (index % 2 === 0 ? busy : both));
  const rest = Array.from({ length: 12 }, () => unreachable);
  const lines = await linesOf(t, [...hour, ...rest]);
  assert.ok(lines.length >= 10 && lines.length <= 16, `${lines.length} lines`);
  assert.deepEqual(lines.at(-1), ["the health is failing", ["sink-unreachable kafka"]]);
});
