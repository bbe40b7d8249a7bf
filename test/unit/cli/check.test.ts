import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { startCli, temporaryDirectory } from "../../support/run-cli.ts";

test("check ends soon after its timeout although a broker takes the connection and says nothing", async (context) => {
  const mute = createServer(() => undefined);
  mute.listen(0, "127.0.0.1");
  await once(mute, "listening");
  context.after(() => mute.close());
  const { port } = mute.address() as AddressInfo;
  const directory = temporaryDirectory(context);
  mkdirSync(join(directory, "journal"));
  const config = join(directory, "certwire.json");
  const sinks = ["kafka", "amqp"].map((scheme) => ({
    name: scheme,
    url: `${scheme}://127.0.0.1:${port}/topic`,
    connectTimeoutMs: 60_000,
  }));
  const places = { journal: { directory: "journal" }, state: { directory: "state" } };
  writeFileSync(config, JSON.stringify({ ...places, sinks }));
  const startedAt = performance.now();
  const check = startCli(["check", "-c", config, "--timeout", "1"]);
  context.after(() => check.child.kill());
  const { exitCode, stdout } = await check.ended;
  assert.equal(exitCode, 69, stdout);
  assert.match(stdout, /no answer in 1000 ms/);
  assert.ok(performance.now() - startedAt < 15_000);
});
