import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { startMuteServer } from "../../support/mute-server.ts";
import { startCli, temporaryDirectory } from "../../support/run-cli.ts";
import { settled } from "../../support/until.ts";

test("check ends soon after its timeout although a broker takes the connection and says nothing", async (context) => {
  const { port } = await startMuteServer(context);
  const directory = temporaryDirectory(context);
  mkdirSync(join(directory, "journal"));
  const config = join(directory, "certwire.json");
  const sinks = ["kafka", "amqp"].map((scheme) => ({
    name: scheme,
    url: `${scheme}://127.0.0.1:${port}/topic`,
    connectTimeoutMs: 300_000,
  }));
  const places = { journal: { directory: "journal" }, state: { directory: "state" } };
  writeFileSync(config, JSON.stringify({ ...places, sinks }));
  const check = startCli(["check", "-c", config, "--timeout", "1"]);
  context.after(() => check.child.kill());
  const { exitCode, stdout } = await settled(check.ended, "the check has ended");
  assert.equal(exitCode, 69, stdout);
  assert.match(stdout, /no answer in 1000 ms/);
});

test("check warns of a password in clear text with its place, and still passes", async (context) => {
  const directory = temporaryDirectory(context);
  mkdirSync(join(directory, "journal"));
  writeFileSync(join(directory, "password.txt"), "hunter2\n");
  const config = join(directory, "certwire.json");
  const password = { file: "password.txt" };
  const sinks = [{ name: "rabbit", url: "amqp://me@broker", password }];
  const places = { journal: { directory: "journal" }, state: { directory: "state" } };
  writeFileSync(config, JSON.stringify({ ...places, sinks }));
  const check = await startCli(["check", "-c", config, "--offline"]).ended;
  assert.equal(check.exitCode, 0, check.stdout);
  const warning =
    /^warning +configuration +.*certwire\.json:1:\d+: sinks\[0\]\.password: .* clear text$/m;
  assert.match(check.stdout, warning);
  assert.match(check.stdout, /^ +hint: Use amqps:\/\//m);
  assert.doesNotMatch(check.stdout, /hunter2/);
  const json = await startCli(["check", "-c", config, "--offline", "--json"]).ended;
  const results = JSON.parse(json.stdout) as { warning?: { path: string; line: number } }[];
  const [found, ...others] = results.flatMap((result) => result.warning ?? []);
  assert.deepEqual([found?.path, found?.line, others], ["sinks[0].password", 1, []]);
});
