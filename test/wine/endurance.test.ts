import assert from "node:assert/strict";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeTempDirectory } from "../integration/support/temp-directory.ts";
import { readScenario } from "../scenarios/format.ts";
import { writeScenario } from "../scenarios/generate.ts";
import { range } from "../support/run-pipeline.ts";
import { scaled, sizeFromEnvironment } from "../support/scale.ts";
import { patienceMs } from "../support/until.ts";
import { frameTypes, readSegment, segmentPaths } from "./support/journal-frames.ts";
import { runStandin } from "./support/standin.ts";
import { prepareWine } from "./support/wine.ts";

/** How many events one life of the CA has at least. */
const wantedEvents = sizeFromEnvironment(
  "CERTWIRE_ENDURANCE_EVENTS",
  scaled(20_000, { least: 5_000, most: 40_000 }),
);
const msPerEvent = 20;
/** What allocator and thread library may keep for later. */
const slackHandles = 4;
const slackBytes = 4 * 1024 * 1024;
/** The segment that is written to, and those that are made ahead. */
const openSegments = 3;

/** Parts of a run, in each of which a leak grows. */
const mostParts = 8;

/**
 * By how much memory grows between the first and the last of these sizes if all parts grow like the one in the middle.
 * A writer that lags once makes its pool larger in one part, and it stays so.
 */
function steadyGrowth(sizes: readonly number[]): number {
  const parts = Math.min(mostParts, sizes.length - 1);
  const sizeAt = (part: number) => sizes[Math.round((part * (sizes.length - 1)) / parts)] ?? 0;
  const grown = range(1, parts).map((part) => sizeAt(part) - sizeAt(part - 1));
  const middle = grown.toSorted((a, b) => a - b)[Math.floor(parts / 2)];
  return parts * (middle ?? 0);
}

/** Counts frames by their type, and deletes what it has counted, as the service would. */
class FrameCounter {
  readonly #counts = new Map<number, number>();

  take(paths: readonly string[]): void {
    for (const path of paths) {
      for (const { type } of readSegment(path)) this.#counts.set(type, this.of(type) + 1);
      rmSync(path);
    }
  }

  of(type: number): number {
    return this.#counts.get(type) ?? 0;
  }
}

test("handles and memory of the CA process stay as they are however many events it has", async (t) => {
  if (!(await prepareWine(t))) return;
  const directory = makeTempDirectory("endurance");
  const journalDirectory = join(directory, "journal");
  mkdirSync(journalDirectory);
  const path = writeScenario("endurance", directory);
  const { steps } = readScenario(path);
  const rounds = Math.ceil(wantedEvents / steps.length);
  const events = rounds * steps.length;
  const counter = new FrameCounter();
  const timer = setInterval(() => {
    counter.take(segmentPaths(journalDirectory).slice(0, -openSegments));
  }, 1_000);
  t.after(() => clearInterval(timer));
  const timeoutMs = patienceMs + events * msPerEvent;
  const run = await runStandin(path, { rounds, journalDirectory, timeoutMs });
  counter.take(segmentPaths(journalDirectory));
  assert.equal(run.exitCode, 0);
  assert.equal(run.rounds.length, rounds);
  assert.equal(run.end?.live, 0, "every object of the CA is released");
  assert.deepEqual(run.end.violations, []);
  assert.equal(counter.of(frameTypes.event), events + 2, "all steps, start and stop");
  assert.equal(counter.of(frameTypes.gap), 0);
  // Pools and caches are filled after four rounds, or a tenth of many.
  const late = run.rounds.slice(Math.max(4, Math.floor(rounds / 10)));
  const [warm, last] = [late[0], late.at(-1)];
  assert.ok(warm && last && late.length > 2);
  const longest = Math.max(...run.rounds.map(({ longestUs }) => longestUs));
  t.diagnostic(
    `${events} events: handles ${warm.handles} -> ${last.handles}, memory ` +
      `${warm.privateBytes} -> ${last.privateBytes} bytes, longest call ${longest} µs`,
  );
  assert.ok(last.handles <= warm.handles + slackHandles, `${warm.handles} -> ${last.handles}`);
  const grown = steadyGrowth(late.map(({ privateBytes }) => privateBytes));
  assert.ok(grown <= slackBytes, `memory grew steadily, by ${grown} bytes`);
});
