// The schedule of the service in node.exe for Windows: the journal of the exit module's own code, the database of a stand-in.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { kindOf } from "../../src/events/event-kind.ts";
import { dispositions, exitEvents } from "../../src/exit/ca-codes.ts";
import { assertValid } from "../support/exit-records.ts";
import type { CaRow } from "../support/fake-ca-database.ts";
import { published } from "../support/published-files.ts";
import { ReconcileScene } from "../support/reconcile-scene.ts";
import { until } from "../support/until.ts";
import { useDatabase } from "./support/database-standin.ts";
import { certwireInWine, startCertwireInWine } from "./support/made-up-ca.ts";
import {
  prepareScene,
  sceneScript,
  type WineScene,
  writeSceneConfig,
} from "./support/wine-reconcile.ts";

const day = 86_400_000;

function row(id: number, at: number): CaRow {
  const certificate = ReconcileScene.certificate(id);
  return { id, disposition: dispositions.issued, submitted: at, resolved: at, certificate };
}

/** The text of a log, as far as it was written. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/**
 * Runs the service until its log says that a scheduled comparison has ended; returns the log. A service that started only
 * after the time of its schedule gets a later one.
 */
async function compareOnTime(scene: WineScene): Promise<string> {
  for (let margin = 1; ; margin += 1) {
    const due = new Date(Math.ceil(Date.now() / 60_000) * 60_000 + (margin - 1) * 60_000);
    const at = `${due.getHours()}:${String(due.getMinutes()).padStart(2, "0")}`;
    const config = writeSceneConfig(scene, undefined, { reconcile: { at } });
    const logFile = join(scene.state, `service-${margin}.log`);
    const service = await startCertwireInWine(logFile, "run", "--config", config);
    try {
      const isPast = (): boolean => Date.now() > due.getTime() + 5000;
      const hasBegun = () => textOf(logFile).includes("comparing the CA's database");
      await until(() => hasBegun() || isPast() || service.hasEnded(), "the time has come", {
        everyMs: 100,
      });
      if (!hasBegun() && !service.hasEnded()) continue;
      const hasEnded = () => /was compared with the journal|cannot compare/.test(textOf(logFile));
      await until(() => hasEnded() || service.hasEnded(), "the comparison has ended", {
        everyMs: 100,
        state: () => textOf(logFile),
      });
      const sent = () => published(join(scene.state, "events", "reconcile")).length > 0;
      await until(() => sent() || service.hasEnded(), "a finding is published", {
        everyMs: 100,
        state: () => textOf(logFile),
      });
      return textOf(logFile);
    } finally {
      await service.kill();
    }
  }
}

test("the service on Windows compares at the time of its schedule, and publishes what differs", async (t) => {
  const scene = await prepareScene(t);
  if (scene === undefined) return;
  // Nothing that happened in the last ten minutes would be compared.
  const at = scene.begin - day;
  for (let id = 2; id <= 20; id += 1) scene.happen(exitEvents.issued, row(id, at));
  scene.record(exitEvents.issued, row(21, at));
  scene.database.put({ ...row(21, at), certificate: ReconcileScene.certificate(9) });
  await scene.flushed();
  const { report } = useDatabase(sceneScript(scene));
  const log = await compareOnTime(scene);
  assert.match(log, /"rows":20,"opened":1,"resolved":0,"unlisted":0/);
  const [event, ...others] = published(join(scene.state, "events", "reconcile"));
  assert.ok(event);
  assert.deepEqual(others, []);
  assertValid(event);
  assert.equal(kindOf(event), "reconcile.finding");
  assert.equal(event.subject, "request/21");
  const { state, class: found } = event.data;
  assert.deepEqual({ state, found }, { state: "open", found: "changed" });
  assert.deepEqual(report().violations, []);
  const config = writeSceneConfig(scene);
  const compared = await certwireInWine("reconcile", "--config", config, "--full");
  assert.match(compared.output, /^21 +changed /m);
});
