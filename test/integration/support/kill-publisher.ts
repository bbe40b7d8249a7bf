import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import type { EventKind } from "../../../src/events/event.ts";
import { readCheckpoint } from "../../../src/state/checkpoint-store.ts";
import { stateLayout } from "../../../src/state/layout.ts";
import { assertRepetitions, type Kill, type MarkedEvent } from "../../support/killed-runs.ts";
import { patientEntry, type UrlEntry } from "../../support/patient-entry.ts";
import type { KillPoint, PublisherRun } from "../../support/publisher-process.ts";
import { scaled, sizeFromEnvironment } from "../../support/scale.ts";

const kills = sizeFromEnvironment("CERTWIRE_CRASH_KILLS", 5);
const maxInFlightEvents = 200;
/** Most events that a killed run gets acknowledged, apart from those in flight by then. */
const acknowledgedMost = scaled(600);
const script = fileURLToPath(new URL("../../support/publisher-process.js", import.meta.url));

/** Number of keys of a killed publisher; event `n` has the key `ca/` and `n` modulo this. */
export const publisherKeys = 50;
/** Number of events; enough that every kill, and the last run too, finds some left. */
export const publisherEvents = (kills + 1) * (acknowledgedMost + 2 * maxInFlightEvents);

/** A random instant; the first run is killed at its first publish, before anything is saved. */
function killPointOf(run: number): KillPoint {
  if (run === 0) return { acknowledged: 0, isSaved: false, turns: randomInt(5) };
  const acknowledged = randomInt(acknowledgedMost);
  return { acknowledged, isSaved: randomInt(2) === 1, turns: randomInt(5) };
}

/**
 * Kills a publisher to a sink again and again at random instants, then lets it finish. `kinds`: those of the events, in
 * turn. Returns what became of each kill.
 */
export async function killPublisher(
  t: TestContext,
  entry: UrlEntry,
  kinds?: readonly EventKind[],
): Promise<Kill[]> {
  const stateDirectory = await mkdtemp(join(tmpdir(), "certwire-crash-"));
  t.after(() => rm(stateDirectory, { recursive: true, force: true }));
  const [events, keys] = [publisherEvents, publisherKeys];
  const publish = async (run: number, kill?: KillPoint): Promise<unknown[]> => {
    const sink = patientEntry({ name: "sink", maxInFlightEvents, ...entry });
    const order: PublisherRun = {
      sink,
      stateDirectory,
      events,
      keys,
      run,
      ...(kinds && { kinds }),
      ...(kill && { kill }),
    };
    const args = [script, JSON.stringify(order)];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "inherit"] });
    t.after(() => child.kill("SIGKILL"));
    return once(child, "exit");
  };
  const killed: Kill[] = [];
  for (let run = 0; run < kills; run += 1) {
    const kill = killPointOf(run);
    assert.deepEqual(await publish(run, kill), [null, "SIGKILL"], JSON.stringify(kill));
    const { position } = await readCheckpoint(stateLayout(stateDirectory).checkpoint("sink"));
    const saved = (await readFile(join(stateDirectory, "saved"), "utf8")).split("\n");
    killed.push({
      checkpoint: Number(position?.sequence ?? 0n),
      saved: Number(saved.at(-2) ?? 0), // the text ends in a line break
    });
  }
  assert.deepEqual(await publish(kills), [0, null]);
  return killed;
}

/** Makes sure that a kill repeated no more than it may, and says how much that was. */
export function reportRepetitions(
  t: TestContext,
  arrived: readonly MarkedEvent[],
  killed: readonly Kill[],
): void {
  const repeated = assertRepetitions(arrived, killed, maxInFlightEvents);
  const counts = repeated.map((again, run) => `${again.length} after ${killed[run]?.checkpoint}`);
  t.diagnostic(`${publisherEvents} events; published again after each kill: ${counts.join(", ")}`);
}
