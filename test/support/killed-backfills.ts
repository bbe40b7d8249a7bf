import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { TestContext } from "node:test";
import { ContentIndex } from "../../src/reconcile/content-index.ts";
import type { CaRow } from "./fake-ca-database.ts";
import { killedRows } from "./killed-backfill-rows.ts";
import type { BackfillTask } from "./mortal-backfill.ts";
import { patientEntry, type UrlEntry } from "./patient-entry.ts";
import { ReconcileScene } from "./reconcile-scene.ts";
import { sizeFromEnvironment } from "./scale.ts";

const kills = sizeFromEnvironment("CERTWIRE_BACKFILL_KILLS", 8);
/** Enough that each kill finds something to publish, in several parts of the index. */
const rows = Math.max(600, kills * 80);
/** Small, so that a kill finds some events under way and some that are done. */
const limits = { batchEvents: 5, maxInFlightEvents: 64 };
const points = ["publishing", "acknowledged", "placed", "keeping", "kept"] as const;
const program = join(import.meta.dirname, "mortal-backfill.js");

/** What has arrived at a sink after the last run. */
export interface KilledBackfill {
  /** Number of different events. */
  readonly events: number;
  /** The ids, as often as they came. */
  readonly arrived: readonly string[];
}

/**
 * Kills backfills to a sink again and again and lets the last one end. Makes sure that every event is there, that only
 * those came again that were under way at a kill, and that one more run publishes nothing. `read`: the ids of all events
 * that have arrived since the beginning.
 */
export async function killBackfills(
  t: TestContext,
  entry: UrlEntry,
  read: () => Promise<string[]>,
): Promise<KilledBackfill> {
  const scene = new ReconcileScene(t);
  await scene.flushed();
  const run = async (kill?: BackfillTask["kill"]) => {
    const task: BackfillTask = {
      journal: scene.journal,
      state: scene.state,
      entry: patientEntry({ ...limits, ...entry }),
      rows,
      ...(kill && { kill }),
    };
    const child = spawn(process.execPath, [program, JSON.stringify(task)], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    t.after(() => child.kill("SIGKILL"));
    const [stderr, [code, signal]] = await Promise.all([text(child.stderr), once(child, "exit")]);
    return { code, signal, stderr };
  };
  let arrived = await read();
  for (let number = 0; number < kills; number += 1) {
    const at = points[number % points.length] ?? "kept";
    const [before, kept] = [countOfEach(arrived), await keptIn(scene)];
    const kill = { batches: number % 3, at, turns: (number * 7) % 11 };
    const { signal, stderr } = await run(kill);
    assert.equal(signal, "SIGKILL", `kill ${number}: ${stderr}`);
    const repeatedBefore = repeatsIn(arrived);
    arrived = await read();
    const repeated = repeatsIn(arrived) - repeatedBefore;
    // Those that were under way at the kill before.
    assert.ok(repeated <= limits.maxInFlightEvents, `kill ${number}: ${repeated} came again`);
    const again = [...countOfEach(arrived)]
      .filter(([id, count]) => count > (before.get(id) ?? 0))
      .filter(([id]) => kept.has(keyOf(id)));
    assert.deepEqual(again, [], `kill ${number}: published again although that was kept`);
  }
  const ended = await run({ batches: 0, at: "ended", turns: 0 });
  assert.equal(ended.signal, "SIGKILL", ended.stderr);
  arrived = await read();
  const last = await run();
  assert.equal(last.code, 0, last.stderr);
  assert.equal((await read()).length, arrived.length, "what had ended is not published again");
  const events = killedRows(rows).reduce((sum, row) => sum + eventsOf(row), 0);
  assert.equal(new Set(arrived).size, events, "every event is there");
  const after = await run();
  assert.equal(after.code, 0, after.stderr);
  assert.equal((await read()).length, arrived.length, "a later run publishes nothing");
  const again = repeatsIn(arrived);
  t.diagnostic(`${kills} kills, ${events} events, 0 missing; ${again} messages came again`);
  return { events, arrived };
}

function repeatsIn(ids: readonly string[]): number {
  return ids.length - new Set(ids).size;
}

function countOfEach(ids: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

/** How many events each row stands for. */
function eventsOf({ reason }: CaRow): number {
  return reason === undefined ? 1 : 2;
}

/** What is remembered of an event with this id. */
function keyOf(id: string): string {
  return id.slice("db-".length).slice(0, 21);
}

async function keptIn({ paths }: ReconcileScene): Promise<Set<string>> {
  const index = new ContentIndex(paths.published("sink"));
  const kept = new Set<string>();
  for (const part of await index.parts()) {
    for (const entries of (await index.read(part)).values()) {
      for (const { contentId = "" } of entries) kept.add(contentId);
    }
  }
  return kept;
}
