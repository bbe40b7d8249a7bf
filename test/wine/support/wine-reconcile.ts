import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { CheckpointStore } from "../../../src/state/checkpoint-store.ts";
import { stateLayout } from "../../../src/state/layout.ts";
import { ReconcileScene } from "../../support/reconcile-scene.ts";
import { readAll } from "../../support/small-journal.ts";
import { type DatabaseScript, prepareDatabase, scriptRow } from "./database-standin.ts";
import { MadeUpCas } from "./made-up-ca.ts";
import { windowsPath } from "./wine.ts";

const defaultExit = "CertificateAuthority_MicrosoftDefault.Exit";

/** A scene, and the CAs of Wine's registry. */
export type WineScene = ReconcileScene & { readonly cas: MadeUpCas };

/** A made-up CA with a database, beside a journal; `undefined` if there is no Wine. */
export async function prepareScene(t: TestContext): Promise<WineScene | undefined> {
  if (!(await prepareDatabase(t))) return undefined;
  const cas = await MadeUpCas.create(t);
  await cas.add("Contoso", "REG_MULTI_SZ", defaultExit);
  await cas.nameServer("Contoso", "CA01");
  return Object.assign(new ReconcileScene(t), { cas });
}

/** The database of a scene, for the stand-in. */
export function sceneScript({ database }: ReconcileScene): DatabaseScript {
  const names = { 6: { string: "Contoso" }, 7: { string: "Contoso" } };
  const rows = [...database.rows.values()].map(scriptRow);
  return { config: "CA01\\Contoso", ca: names, rows };
}

/** Writes the configuration of a scene; returns its path, as Windows sees it. */
export function writeSceneConfig(
  scene: ReconcileScene,
  sink: object = { name: "files", url: "file:events" },
  sections: object = {},
): string {
  const path = join(scene.state, "certwire.json");
  const config = {
    journal: { directory: windowsPath(scene.journal), minFreeMegabytes: 0 },
    state: { directory: windowsPath(scene.state) },
    sinks: [sink],
    ...sections,
  };
  writeFileSync(path, JSON.stringify(config));
  return windowsPath(path);
}

/** Makes the checkpoint of a sink that the service leaves behind when it has published everything. */
export async function catchUp(scene: ReconcileScene, sink: string): Promise<void> {
  const last = (await readAll(scene.journal)).at(-1);
  assert.ok(last);
  const checkpoints = await CheckpointStore.open(stateLayout(scene.state).checkpoint(sink));
  await checkpoints.save(last.position);
  await checkpoints.close();
}
