import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { startMuteServer } from "../support/mute-server.ts";
import { runCli, startCli, temporaryDirectory } from "../support/run-cli.ts";
import { scaled } from "../support/scale.ts";
import { settled, until } from "../support/until.ts";

/** A configuration with two brokers that take connections and say nothing, and how many they have taken. */
async function muteBrokers(context: TestContext) {
  const { port, connections } = await startMuteServer(context);
  const directory = temporaryDirectory(context);
  mkdirSync(join(directory, "journal"));
  const sinks = ["kafka", "amqp"].map((scheme) => ({
    name: scheme,
    url: `${scheme}://127.0.0.1:${port}/topic`,
    connectTimeoutMs: 300_000, // longer than any test waits
  }));
  const places = { journal: { directory: "journal" }, state: { directory: "state" } };
  const config = join(directory, "certwire.json");
  writeFileSync(config, JSON.stringify({ ...places, sinks }));
  return { config, connections };
}

test("run ends at once when nothing is under way, although its brokers say nothing", async (context) => {
  const { config, connections } = await muteBrokers(context);
  const running = startCli(["run", "-c", config]);
  context.after(() => running.child.kill("SIGKILL"));
  await running.logged('"msg":"started"');
  await until(() => connections() >= 2, "both clients are connecting");
  running.child.kill("SIGTERM");
  const { exitCode, stderr } = await settled(running.ended, "the service has ended");
  assert.equal(exitCode, 0);
  assert.match(stderr.trim().split("\n").at(-1) ?? "", /"msg":"stopped"/);
  assert.doesNotMatch(stderr, /stopped before every event/, "it waited for no acknowledgement");
});

test("a replay to a silent broker ends soon after it is asked to", async (context) => {
  const { config, connections } = await muteBrokers(context);
  const journal = join(config, "..", "journal");
  await runCli("simulate", "-j", journal, "--rate", "0", "-n", "5");
  const replay = startCli(["replay", "-c", config, "--to-sink", "kafka"]);
  context.after(() => replay.child.kill("SIGKILL"));
  await replay.logged("replay plan");
  await until(() => connections() >= 1, "the client is connecting");
  const stopped = once(replay.child, "exit");
  replay.child.kill("SIGTERM");
  assert.deepEqual(await settled(stopped, "the replay has ended"), [130, null]);
});

test("run ends even if the standard output that a sink writes to is not read", async (context) => {
  const directory = temporaryDirectory(context);
  const journal = join(directory, "journal");
  // More than a pipe holds, here and there.
  const count = scaled(400, { least: 200 });
  await runCli("simulate", "-j", journal, "--rate", "0", "-n", String(count));
  const places = { journal: { directory: "journal" }, state: { directory: "state" } };
  const config = join(directory, "certwire.json");
  writeFileSync(config, JSON.stringify({ ...places, sinks: [{ name: "out", url: "stdout:" }] }));
  const running = startCli(["run", "-c", config]);
  context.after(() => running.child.kill("SIGKILL"));
  const { stdout } = running.child;
  stdout?.pause();
  await until(() => (stdout?.readableLength ?? 0) > 0, "the sink has written");
  const ended = once(running.child, "exit");
  running.child.kill("SIGTERM");
  assert.deepEqual(await settled(ended, "the service has ended"), [0, null]);
});
