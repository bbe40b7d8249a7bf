// Services started where another one is running, by mistake or a moment too early.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { CertwireEvent } from "../../src/events/event.ts";
import { kindOf } from "../../src/events/event-kind.ts";
import { readCheckpoint } from "../../src/state/checkpoint-store.ts";
import { stateLayout } from "../../src/state/layout.ts";
import { runCli, startCli, temporaryDirectory } from "../support/run-cli.ts";
import { scaled } from "../support/scale.ts";
import { until } from "../support/until.ts";

function published(root: string): CertwireEvent[] {
  let names: string[] = [];
  try {
    names = readdirSync(join(root, "events")).filter((name) => name.endsWith(".ndjson"));
  } catch {
    return []; // nothing was published yet
  }
  const texts = names.toSorted().map((name) => readFileSync(join(root, "events", name), "utf8"));
  const lines = texts.join("").split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as CertwireEvent);
}

function publishedIds(root: string): string[] {
  return published(root).map(({ id }) => id);
}

/** How often a CA started, worked and stopped, as far as it is published. */
function publishedParts(root: string): number {
  return published(root).filter((event) => kindOf(event) === "ca.stopped").length;
}

/** Lets a CA start, work and stop. */
async function extendJournal(root: string): Promise<void> {
  const words = ["-j", join(root, "journal"), "-r", "0", "-n", String(scaled(200))];
  const { exitCode, stderr } = await runCli("simulate", ...words);
  assert.equal(exitCode, 0, stderr);
}

/** A configuration with a state directory of its own, for one journal and one file sink. */
function configure(root: string, state: string): string {
  const config = join(root, `${state}.json`);
  const sinks = [{ name: "files", url: "file:events", retryMaxMs: 500 }];
  const places = { journal: { directory: "journal" }, state: { directory: state } };
  writeFileSync(config, JSON.stringify({ ...places, sinks }));
  return config;
}

function startService(context: TestContext, config: string) {
  const service = startCli(["run", "--config", config]);
  context.after(() => service.child.kill("SIGKILL"));
  const stop = async (): Promise<void> => {
    service.child.kill("SIGTERM");
    assert.equal((await service.ended).exitCode, 0);
  };
  return { ...service, stop };
}

async function setUp(context: TestContext) {
  const root = temporaryDirectory(context);
  await extendJournal(root);
  return { root, config: configure(root, "state") };
}

test("a second service on a state directory names the first and ends with 75; the first keeps running", async (context) => {
  const { root, config } = await setUp(context);
  const first = startService(context, config);
  await until(() => publishedParts(root) === 1, "the first has published");
  const second = await startService(context, config).ended;
  assert.equal(second.exitCode, 75);
  assert.equal(second.stdout, "");
  const { pid } = first.child;
  const message = `CERTWIRE_DIRECTORY_IN_USE: process ${pid} on .+, running since .+ is using .+state`;
  assert.match(second.stderr, new RegExp(message));
  assert.match(second.stderr, /hint: Stop the process/);
  await extendJournal(root);
  await until(() => publishedParts(root) === 2, "the first goes on");
  await first.stop();
  const ids = publishedIds(root);
  assert.equal(new Set(ids).size, ids.length, "nothing was published twice");
  const { position } = await readCheckpoint(stateLayout(join(root, "state")).checkpoint("files"));
  assert.equal(position?.epochNumber, 2, "the checkpoint is in the second part of the journal");
});

test("commands that only read work beside a service", async (context) => {
  const { root, config } = await setUp(context);
  const service = startService(context, config);
  await until(() => publishedParts(root) === 1, "it has published");
  for (const words of [["check"], ["journal", "status"], ["replay", "--dry-run"]]) {
    const { exitCode, stderr, stdout } = await runCli(...words, "--config", config);
    assert.equal(exitCode, 0, `${words.join(" ")}: ${stderr}${stdout}`);
  }
  await service.stop();
});

test("a second service on the directory of a file sink waits until the first has stopped", async (context) => {
  const { root, config } = await setUp(context);
  const first = startService(context, config);
  await until(() => publishedParts(root) === 1, "the first has published");
  const ids = publishedIds(root);
  const second = startService(context, configure(root, "other-state"));
  await second.logged("CERTWIRE_DIRECTORY_IN_USE");
  assert.deepEqual(publishedIds(root), ids, "it has written nothing");
  await first.stop();
  await until(() => publishedParts(root) === 2, "the second publishes all again");
  await second.stop();
  assert.deepEqual(publishedIds(root), [...ids, ...ids]);
});

test("a service started right after a kill does not wait for the lock of the killed one", async (context) => {
  const { root, config } = await setUp(context);
  const killed = startService(context, config);
  await until(() => publishedParts(root) === 1, "it has published");
  killed.child.kill("SIGSTOP");
  await extendJournal(root);
  killed.child.kill("SIGKILL");
  await killed.ended;
  const before = published(root).length;
  const next = startService(context, config);
  await until(() => published(root).length > before, "the next one publishes");
  await next.stop();
  assert.doesNotMatch(next.stderr(), /CERTWIRE_DIRECTORY_IN_USE/, "each lock was free at once");
  assert.doesNotMatch(next.stderr(), /cannot open the sink/);
});
