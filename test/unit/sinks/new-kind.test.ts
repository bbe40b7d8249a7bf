// A new kind of sink needs its folder and an entry in the registry's list, and nothing else.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";
import { ConfigError } from "../../../src/config/config-error.ts";
import { configJsonSchema } from "../../../src/config/json-schema.ts";
import { parseConfig } from "../../../src/config/load.ts";
import { resolveCommon } from "../../../src/sinks/common-options.ts";
import { sinkKinds } from "../../../src/sinks/registry.ts";
import { defineSinkKind } from "../../../src/sinks/sink-kind.ts";
import { temporaryDirectory } from "../../support/run-cli.ts";
import { sampleOutbound } from "../../support/sample-events.ts";
import { shelfOf, toy } from "../../support/toy-sink.ts";

const kinds = [...sinkKinds, toy];
const signal = new AbortController().signal;
const run = promisify(execFile);

function configText(...sinks: readonly object[]): string {
  return JSON.stringify({ journal: { directory: "j" }, state: { directory: "s" }, sinks });
}

function problemsOf(...sinks: readonly object[]): string[] {
  try {
    parseConfig("certwire.json", configText(...sinks), { kinds });
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.diagnostics.map(({ path, message, hint }) => `${path}: ${message} ${hint}`);
  }
  return [];
}

test("an entry of a new kind is parsed with its own keys and those of the pipeline", async () => {
  process.env["CERTWIRE_TEST_SHELF"] = "secret";
  const entry = { name: "t", url: "toy:parsed", height: "high", maxInFlightEvents: 7 };
  const password = { environment: "CERTWIRE_TEST_SHELF" };
  const config = parseConfig("certwire.json", configText({ ...entry, password }), { kinds });
  const [configured] = config.sinks;
  assert.ok(configured);
  assert.equal(configured.kind, "toy");
  assert.deepEqual(configured.limits, {
    maxInFlightEvents: 7,
    maxInFlightBytes: 16 * 1024 * 1024,
    retryInitialMs: 100,
    retryMaxMs: 15_000,
    deadLetterAfterSeconds: 3600,
    maxDeadLetterMegabytes: 1024,
  });
  assert.equal("password" in configured.options && configured.options.password, "secret");
  const sink = await configured.create();
  await sink.open(signal);
  assert.deepEqual(await sink.publish(0, [sampleOutbound(1)], signal), { acknowledged: 1 });
  assert.equal(shelfOf("toy:parsed").events.length, 1);
});

test("an entry is parsed once: what its schema makes of a value is not parsed again", () => {
  const options = toy.options.safeExtend({
    url: z.string().transform((url) => `${url} parsed`),
  });
  const parcel = defineSinkKind({
    kind: "parcel",
    schemes: ["parcel"],
    options,
    resolve: (entry) => ({ ...resolveCommon(entry), url: entry.url }),
    destination: ({ url }) => url,
    create: () => Promise.reject(new Error("never made")),
  });
  const text = configText({ name: "p", url: "parcel:a", maxInFlightEvents: 7 });
  const [configured] = parseConfig("certwire.json", text, { kinds: [parcel] }).sinks;
  assert.equal(configured?.destination, "parcel:a parsed");
  assert.equal(configured?.limits.maxInFlightEvents, 7);
});

test("a wrong key, a wrong value and a wrong scheme of a new kind are reported like those of any other", () => {
  const name = "t";
  const problems = problemsOf(
    { name, url: "toy:a", maxInFlightEvent: 7 },
    { name: "u", url: "toy:a", hight: "low" },
    { name: "v", url: "toy:a", retryMaxMs: 0 },
    { name: "w", url: "tou:a" },
  );
  assert.deepEqual(problems, [
    'sinks[0]: unknown key "maxInFlightEvent" Did you mean "maxInFlightEvents"?',
    'sinks[1]: unknown key "hight" Did you mean "height"?',
    "sinks[2].retryMaxMs: must be at least 1 undefined",
    'sinks[3].url: no sink supports tou: URLs Did you mean "toy:"?',
  ]);
});

test("the schema for editors knows a new kind", () => {
  assert.match(JSON.stringify(configJsonSchema(kinds)), /Height of the shelf/);
  assert.doesNotMatch(JSON.stringify(configJsonSchema()), /Height of the shelf/);
});

test("check inspects a sink of a new kind and connects to it", async (t: TestContext) => {
  const directory = temporaryDirectory(t);
  mkdirSync(join(directory, "j"));
  const file = join(directory, "certwire.json");
  writeFileSync(file, configText({ name: "t", url: "toy:checked", height: "high" }));
  const script = fileURLToPath(new URL("../../support/toy-check.js", import.meta.url));
  const { stdout } = await run(process.execPath, [script, "check", "--config", file]);
  assert.match(stdout, /^warning +configuration +.*sinks\[0\]\.height: children cannot reach it$/m);
  assert.match(stdout, /^ok +sink t +toy: connected, 2 lanes$/m);
  assert.match(
    stdout,
    /^warning +sink t +dust settles on high shelves\n +hint: Dust it once a year\.$/m,
  );
});

test("client libraries are loaded when a sink of their kind is created, not before", async () => {
  const registry = new URL("../../../src/sinks/registry.js", import.meta.url).href;
  const script = `
    import { createRequire } from "node:module";
    import { sinkKinds } from ${JSON.stringify(registry)};
    const loaded = () => ["kafkajs", "amqplib"].filter((library) =>
      Object.keys(createRequire(import.meta.url).cache).some((path) =>
        path.includes("node_modules/" + library + "/")));
    const sinks = ["kafka://a/t", "amqp://a"].map((url, index) => {
      const entry = sinkKinds[index].options.parse({ name: "s", url });
      return sinkKinds[index].configure(entry, { baseDirectory: "/", secret: () => "" });
    });
    const steps = [loaded()];
    for (const sink of sinks) {
      await sink.create();
      steps.push(loaded());
    }
    console.log(JSON.stringify(steps));`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", script]);
  assert.deepEqual(JSON.parse(stdout), [[], ["kafkajs"], ["kafkajs", "amqplib"]]);
});
