import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { CertwireEvent, EventKind } from "../../src/events/event.ts";
import { encodeEvent } from "../../src/events/outbound-event.ts";
import { runCli, temporaryDirectory } from "../support/run-cli.ts";
import { sampleEvent } from "../support/sample-events.ts";

const key = "fedcba9876543210fedcba9876543210";

function eventOf(sequence: number, kind: EventKind, data: object): CertwireEvent {
  return { ...sampleEvent(sequence), type: `io.certwire.${kind}.v1`, data: { ...data } };
}

const sample = [
  eventOf(1, "certificate.issued", {
    ca: { name: "Corp \u001b[31mCA\u202e", id: "ab" },
    request: { requestId: 17, requesterName: "CORP\\alice" },
    certificate: { template: { name: "WebServer" } },
    problems: [],
  }),
  eventOf(2, "request.denied", { ca: { name: "A", id: "ab" }, request: { requestId: 18 } }),
  eventOf(3, "ca.stopped", { ca: { name: "A", id: "ab" }, problems: [] }),
];

/** A configuration with these sinks, its sample, and a hash key; nothing listens where the sinks publish to. */
function prepare(context: TestContext, sinks: readonly object[], lines = sample.map(lineOf)) {
  const directory = temporaryDirectory(context);
  mkdirSync(join(directory, "journal"));
  writeFileSync(join(directory, "hash-key.txt"), `${key}\n`);
  const [config, file] = [join(directory, "certwire.json"), join(directory, "sample.ndjson")];
  const places = { journal: { directory: "journal" }, state: { directory: "state" } };
  writeFileSync(config, JSON.stringify({ ...places, sinks }));
  writeFileSync(file, lines.map((line) => `${line}\n`).join(""));
  const words = ["check", "--config", config, "--offline", "--sample", file];
  return (...more: string[]) => runCli(...words, ...more);
}

function lineOf(event: CertwireEvent): string {
  return encodeEvent(event).json.toString();
}

const kafka = {
  name: "kafka",
  url: "kafka://127.0.0.1:1/all",
  except: [{ kind: ["crl.*"] }, { kind: ["request.*"] }],
  routes: [{ template: ["WebServer"], topic: "web.{template}.{ca}" }],
};

test("a sample shows for each enabled sink what it gets, where it goes, and its size", async (t) => {
  const rabbit = {
    name: "rabbit",
    url: "amqp://127.0.0.1:1/?exchange=pki",
    routingKey: "{kind}.{ca}",
    only: [{ kind: ["request.*"] }],
  };
  const file = { name: "file", url: "file:events" };
  const off = { name: "off", url: "stdout:", enabled: false };
  const { exitCode, stdout, stderr } = await prepare(t, [kafka, rabbit, file, off])();
  assert.equal(exitCode, 0, stderr);
  const [, ...tables] = stdout.split("\n\n");
  const bytes = sample.map((event) => String(lineOf(event).length).padStart(8));
  assert.deepEqual(tables[0]?.split("\n"), [
    "sink kafka: topics all, web.{template}.{ca} on 127.0.0.1:1",
    "event                    request  destination                              bytes",
    `certificate.issued            17  topic web.WebServer.Corp___31mCA_     ${bytes[0]}`,
    "request.denied                18  left out (except[1])",
    `ca.stopped                        topic all                             ${bytes[2]}`,
    "3 events, 1 left out",
  ]);
  assert.deepEqual(tables[1]?.split("\n").slice(2), [
    "certificate.issued            17  left out (only)",
    `request.denied                18  exchange pki key request.denied.A     ${bytes[1]}`,
    `ca.stopped                        exchange pki key ca.stopped.A         ${bytes[2]}`,
    "3 events, 1 left out",
  ]);
  assert.equal(tables.length, 3, "a disabled sink has none");
});

test("no line of a sample is wider than 80 columns, and nothing in it acts on a terminal", async (t) => {
  const long = "x".repeat(100);
  const hostile = "A\u001b]0;t\u0007\u202e B";
  const events = [
    eventOf(4, "certificate.unrevoked", {
      ca: { name: `${hostile} ${long}`, id: "ab" },
      request: { requestId: 4294967295 },
      certificate: { template: { name: long } },
    }),
  ];
  const rabbit = {
    name: "rabbit",
    url: "amqp://127.0.0.1:1/?exchange={ca}",
    routingKey: "{kind}.{template}.{ca}",
  };
  const { exitCode, stdout } = await prepare(t, [rabbit], events.map(lineOf))();
  assert.equal(exitCode, 0);
  assert.doesNotMatch(stdout, /[^\P{Cc}\n]|\p{Cf}/u);
  const [, table = ""] = stdout.split("\n\n");
  const lines = table.split("\n");
  assert.deepEqual(
    lines.filter((line) => line.length > 80),
    [],
  );
  assert.match(lines.map((line) => line.slice(34, 70).trim()).join(""), /x{100}/);
});

test("with --json a sample holds the whole events as the sink shows them, and no key", async (t) => {
  const redact = {
    hash: ["request.requesterName"],
    remove: ["certificate.template"],
    hashSecret: { file: "hash-key.txt" },
  };
  const { exitCode, stdout } = await prepare(t, [{ ...kafka, redact }])("--json");
  assert.equal(exitCode, 0);
  assert.ok(!stdout.includes(key) && !stdout.includes("alice") && !stdout.includes("\u202e"));
  const { checks, sample: shown } = JSON.parse(stdout);
  assert.equal(checks[0].subject, "configuration");
  assert.equal(shown.length, 3);
  const [issued, denied, stopped] = shown;
  const hash = createHmac("sha256", key).update("corp\\alice").digest("hex");
  assert.equal(issued.event.data.request.requesterName, hash);
  assert.equal(issued.event.replayed, undefined);
  assert.equal(issued.destination, "topic web.none.Corp___31mCA_");
  assert.equal(issued.bytes, Buffer.byteLength(lineOf(issued.event)));
  assert.deepEqual(
    [denied.leftOutBy, denied.event, denied.requestId, denied.sink],
    ["except[1]", undefined, "18", "kafka"],
  );
  assert.deepEqual(stopped.event, sample[2]);
});

test("a sample that is not a file of events is refused, and a line that is not JSON is counted", async (t) => {
  const run = prepare(t, [kafka], [...sample.map(lineOf), '{"specversion":']);
  const torn = await run();
  assert.equal(torn.exitCode, 0);
  assert.match(torn.stderr, /^1 lines of .*sample\.ndjson are not JSON/m);
  const other = await prepare(t, [kafka], ['{"a":1}'])();
  assert.equal(other.exitCode, 65);
  assert.match(other.stderr, /sample\.ndjson:1: not a Certwire event/);
  const late = await prepare(t, [kafka], [...sample.map(lineOf), '{"a":1}'])("--json");
  assert.equal(late.exitCode, 65);
  const printed = JSON.parse(late.stdout) as { sample: unknown[] };
  assert.equal(printed.sample.length, sample.length, "what was printed is JSON");
  const missing = await run("--sample", "missing.ndjson", "--json");
  assert.notEqual(missing.exitCode, 0);
  assert.equal(missing.stdout, "");
  const input = await run("--sample", "-");
  assert.equal(input.exitCode, 2);
  assert.match(input.stderr, /--sample needs a file/);
  assert.match(input.stderr, /a pipe can be read once/);
});
