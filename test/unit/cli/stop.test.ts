import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { startMuteServer } from "../../support/mute-server.ts";
import { runCli, startCli, temporaryDirectory } from "../../support/run-cli.ts";

/** A configuration with two brokers that accept connections and never answer. */
async function muteBrokers(context: TestContext): Promise<string> {
  const port = await startMuteServer(context);
  const directory = temporaryDirectory(context);
  mkdirSync(join(directory, "journal"));
  const sinks = ["kafka", "amqp"].map((scheme) => ({
    name: scheme,
    url: `${scheme}://127.0.0.1:${port}/topic`,
    connectTimeoutMs: 60_000,
  }));
  const places = { journal: { directory: "journal" }, state: { directory: "state" } };
  const config = join(directory, "certwire.json");
  writeFileSync(config, JSON.stringify({ ...places, sinks }));
  return config;
}

test("run ends at once when nothing is in flight, even if its brokers never answer", async (context) => {
  const running = startCli(["run", "-c", await muteBrokers(context)]);
  context.after(() => running.child.kill("SIGKILL"));
  while (!running.stderr().includes('"msg":"started"')) await delay(20);
  await delay(500); // the clients are connecting
  const stoppedAt = performance.now();
  running.child.kill("SIGTERM");
  const { exitCode, stderr } = await running.ended;
  assert.equal(exitCode, 0);
  assert.match(stderr.trim().split("\n").at(-1) ?? "", /"msg":"stopped"/);
  assert.ok(performance.now() - stoppedAt < 5000, `${performance.now() - stoppedAt} ms`);
});

test("a replay to a broker that never answers ends soon after it is stopped", async (context) => {
  const config = await muteBrokers(context);
  const journal = join(config, "..", "journal");
  await runCli("simulate", "-j", journal, "--rate", "0", "-n", "5");
  const replay = startCli(["replay", "-c", config, "--to-sink", "kafka"]);
  context.after(() => replay.child.kill("SIGKILL"));
  while (!replay.stderr().includes("replay plan")) await delay(20);
  await delay(500);
  replay.child.kill("SIGTERM");
  const stopped = once(replay.child, "exit");
  assert.deepEqual(await Promise.race([stopped, delay(5000, "too late")]), [130, null]);
});

test("run ends even if the standard output that a sink writes to is not read", async (context) => {
  const directory = temporaryDirectory(context);
  const journal = join(directory, "journal");
  await runCli("simulate", "-j", journal, "--rate", "0", "-n", "400");
  const places = { journal: { directory: "journal" }, state: { directory: "state" } };
  const config = join(directory, "certwire.json");
  writeFileSync(config, JSON.stringify({ ...places, sinks: [{ name: "out", url: "stdout:" }] }));
  const running = startCli(["run", "-c", config]);
  context.after(() => running.child.kill("SIGKILL"));
  running.child.stdout?.pause();
  while (!running.stderr().includes("sink opened")) await delay(20);
  await delay(500);
  running.child.kill("SIGTERM");
  // The limit of 10 s for what is in flight, and some for the machine.
  const ended = once(running.child, "exit");
  assert.deepEqual(await Promise.race([ended, delay(16_000, "too late")]), [0, null]);
});
