import assert from "node:assert/strict";
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { startMuteServer } from "../support/mute-server.ts";
import { startCli, temporaryDirectory } from "../support/run-cli.ts";
import { settled } from "../support/until.ts";

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
  for (const place of ["topic topic on", "exchange certwire on"]) {
    assert.ok(stdout.includes(`${place} 127.0.0.1:${port}`), stdout);
  }
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

/** A configuration whose state directory is `state`, relative to its own directory. */
function configWithState(directory: string, state: string): string {
  mkdirSync(join(directory, "journal"), { recursive: true });
  const config = join(directory, "certwire.json");
  const sinks = [{ name: "out", url: "stdout:" }];
  const places = { journal: { directory: "journal" }, state: { directory: state } };
  writeFileSync(config, JSON.stringify({ ...places, sinks }));
  return config;
}

const states: [string, string, (directory: string) => void, 0 | 74][] = [
  ["a state directory below missing parents", "x/y/z", () => undefined, 0],
  [
    "a plain file as state directory",
    "state",
    (path) => writeFileSync(join(path, "state"), ""),
    74,
  ],
  [
    "a plain file above the state directory",
    "f/state",
    (path) => writeFileSync(join(path, "f"), ""),
    74,
  ],
  [
    "a link to nothing as state directory",
    "state",
    (path) => symlinkSync("gone", join(path, "state")),
    74,
  ],
  [
    "a plain file as directory of the checkpoints",
    "state",
    (path) => {
      mkdirSync(join(path, "state"));
      writeFileSync(join(path, "state", "checkpoints"), "");
    },
    74,
  ],
];
for (const [title, state, prepare, expected] of states) {
  test(`check and run agree about ${title}`, async (context) => {
    const directory = temporaryDirectory(context);
    prepare(directory);
    const config = configWithState(directory, state);
    const names = (): string[] => readdirSync(directory, { recursive: true }).map(String);
    const before = names();
    const check = await startCli(["check", "-c", config, "--offline"]).ended;
    assert.equal(check.exitCode, expected, check.stdout);
    const added = names().filter((name) => !before.includes(name));
    assert.deepEqual(added, [], "check leaves nothing behind");
    const service = startCli(["run", "-c", config]);
    if (expected === 0) {
      await service.logged('"started"');
      service.child.kill("SIGTERM");
    }
    const run = await settled(service.ended, "the service has ended");
    assert.equal(run.exitCode, expected, run.stderr);
  });
}

for (const link of ["dead-letters", "checkpoints", "routed-kinds", "state.lock"]) {
  test(`check finds a link in the place of ${link}, through which the service does not write`, async (context) => {
    const directory = temporaryDirectory(context);
    const elsewhere = join(directory, "elsewhere");
    mkdirSync(elsewhere);
    mkdirSync(join(directory, "state"));
    symlinkSync(elsewhere, join(directory, "state", link));
    const config = configWithState(directory, "state");
    const check = await startCli(["check", "-c", config, "--offline"]).ended;
    assert.equal(check.exitCode, 74, check.stdout);
    assert.match(check.stdout, /ELOOP/);
  });
}

test("run logs the warnings that check prints", async (context) => {
  const directory = temporaryDirectory(context);
  const config = configWithState(directory, "state");
  writeFileSync(join(directory, "password.txt"), "hunter2\n");
  const sasl = { mechanism: "scram-sha-256", username: "me", password: { file: "password.txt" } };
  const sinks = [{ name: "kafka", url: "kafka://192.0.2.1/t", sasl }];
  const places = { journal: { directory: "journal" }, state: { directory: "state" } };
  writeFileSync(config, JSON.stringify({ ...places, sinks }));
  const check = await startCli(["check", "-c", config, "--offline"]).ended;
  const service = startCli(["run", "-c", config]);
  await service.logged('"started"');
  service.child.kill("SIGTERM");
  const { stderr } = await settled(service.ended, "the service has ended");
  for (const text of [check.stdout, stderr]) assert.match(text, /SCRAM exchange crosses/);
});
