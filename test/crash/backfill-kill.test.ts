// A backfill whose process is killed at any point.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ContentIndex } from "../../src/reconcile/content-index.ts";
import { makeTempDirectory } from "../integration/support/temp-directory.ts";
import type { CaRow } from "../support/fake-ca-database.ts";
import { killedRows } from "../support/killed-backfill-rows.ts";
import type { BackfillTask } from "../support/mortal-backfill.ts";
import { ReconcileScene } from "../support/reconcile-scene.ts";
import { sizeFromEnvironment } from "../support/scale.ts";
import { patienceMs } from "../support/until.ts";

const kills = sizeFromEnvironment("CERTWIRE_BACKFILL_KILLS", 8);
const rows = 600;

/** How many events each row stands for. */
function eventsOf({ reason }: CaRow): number {
  return reason === undefined ? 1 : 2;
}

/** The ids in the files of the sink, in their order; a line that a kill has cut off has none. */
function publishedIn(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith(".ndjson"))
    .toSorted()
    .flatMap((name) => readFileSync(join(directory, name), "utf8").split("\n"))
    .flatMap((line) => {
      try {
        return (JSON.parse(line) as { id: string }).id;
      } catch {
        return [];
      }
    });
}

/** What is remembered of an event with this id. */
function keyOf(id: string): string {
  return id.slice("db-".length).slice(0, 21);
}

async function keptIn({ paths }: ReconcileScene): Promise<Set<string>> {
  const index = new ContentIndex(paths.published("files"));
  const kept = new Set<string>();
  for (const part of await index.parts()) {
    for (const entries of (await index.read(part)).values()) {
      for (const { contentId = "" } of entries) kept.add(contentId);
    }
  }
  return kept;
}

test("a backfill that is killed again and again publishes everything, and nothing twice but what was under way", async (t) => {
  const scene = new ReconcileScene(t);
  await scene.flushed();
  const out = join(makeTempDirectory("backfill"), "out");
  mkdirSync(out);
  const program = join(import.meta.dirname, "..", "support", "mortal-backfill.js");
  const run = (kill?: BackfillTask["kill"]) => {
    const task: BackfillTask = {
      journal: scene.journal,
      state: scene.state,
      out,
      rows,
      ...(kill && { kill }),
    };
    return spawnSync(process.execPath, [program, JSON.stringify(task)], {
      encoding: "utf8",
      timeout: patienceMs,
    });
  };
  const points = ["publishing", "acknowledged", "keeping", "kept"] as const;
  for (let number = 0; number < kills; number += 1) {
    const at = points[number % points.length] ?? "kept";
    const [before, kept] = [publishedIn(out), await keptIn(scene)];
    const { signal, stderr } = run({ batches: number % 3, at, turns: (number * 7) % 11 });
    const again = publishedIn(out)
      .slice(before.length)
      .filter((id) => kept.has(keyOf(id)));
    assert.deepEqual(again, [], `kill ${number}: published again although that was kept`);
    if (signal === null) break; // everything was published before
    assert.equal(signal, "SIGKILL", stderr);
  }
  const last = run();
  assert.equal(last.status, 0, last.stderr);
  const published = publishedIn(out);
  const expected = killedRows(rows).reduce((sum, row) => sum + eventsOf(row), 0);
  const different = new Set(published);
  assert.equal(different.size, expected, "every event is there");
  assert.deepEqual(publishedIn(out), published);
  t.diagnostic(
    `${kills} kills, ${expected} events, 0 missing, 0 double by their ids; ${published.length - expected} lines again`,
  );
  const after = run();
  assert.equal(after.status, 0, after.stderr);
  assert.equal(publishedIn(out).length, published.length, "a later run publishes nothing");
});
