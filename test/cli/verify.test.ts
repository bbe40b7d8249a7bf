import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { countLine } from "../../src/cli/progress.ts";
import { reportLines } from "../../src/cli/verify/report-lines.ts";
import { Completeness } from "../../src/consumer/completeness/completeness.ts";
import type { CertwireEvent } from "../../src/events/event.ts";
import { JournalTruth } from "../support/journal-truth.ts";
import { runCli, temporaryDirectory } from "../support/run-cli.ts";

const plan = [
  { records: [{ do: "issue" }, { do: "crl", events: 2 }], end: "clean", isNextMissing: false },
  { records: [{ do: "damage", records: 3 }], end: "killed", isNextMissing: false },
] as const;

function eventFile(context: TestContext, events: readonly CertwireEvent[], rest = ""): string {
  const file = join(temporaryDirectory(context), "events.ndjson");
  const lines = events.map((event) => `${JSON.stringify(event)}\n`);
  writeFileSync(file, lines.join("") + rest);
  return file;
}

test("a file with all events is complete, also in two parts and with a torn line", async (context) => {
  const { events } = new JournalTruth("a", plan);
  const one = eventFile(context, events.slice(0, 5));
  const other = eventFile(context, events.slice(4), '{"specversion":"1.0"');
  const { exitCode, stdout } = await runCli("verify", one, other);
  assert.equal(exitCode, 0, stdout);
  assert.match(stdout, /^2 files: 11 lines, 9 events, 1 duplicate$/m);
  assert.match(stdout, /^1 line that is not an event of Certwire$/m);
  assert.match(stdout, /corrupt +epoch 2 +records 3-5/);
  assert.match(stdout, /^complete$/m);
});

test("a hole ends the command with exit code 4 and its position, as text and as JSON", async (context) => {
  const { events } = new JournalTruth("a", plan);
  const file = eventFile(
    context,
    events.filter(({ id }) => !/^6100[0-9]+1-3-0$/.test(id)),
  );
  const text = await runCli("verify", file);
  assert.equal(text.exitCode, 4, text.stderr);
  assert.match(text.stdout, /MISSING +epoch 1 +record 3 +[0-9a-f]{8}$/m);
  assert.match(text.stdout, /^1 hole$/m);
  const json = await runCli("verify", file, "--json");
  assert.equal(json.exitCode, 4);
  const { isComplete, journals } = JSON.parse(json.stdout) as {
    isComplete: boolean;
    journals: { holes: { from: number; to: number }[] }[];
  };
  assert.equal(isComplete, false);
  assert.deepEqual([journals[0]?.holes[0]?.from, journals[0]?.holes[0]?.to], [3, 3]);
});

test("no line of the table is wider than 80 columns, and a text in an event acts on nothing", () => {
  const completeness = new Completeness();
  const evil = "\u001b]0;owned\u0007".padEnd(300, "x");
  const { events } = new JournalTruth("a", plan);
  for (const event of events) {
    const data = {
      ...event.data,
      ca: { id: evil },
      ...("reason" in event.data && { reason: evil }),
    };
    completeness.add({ ...event, data });
  }
  const lines = reportLines(completeness.report());
  assert.deepEqual(
    lines.filter((line) => line.length > 80),
    [],
  );
  assert.doesNotMatch(lines.join(""), /\p{Cc}/u);
});

test("replays in a file do not move the start, and JSON that is not an event is only counted", async (context) => {
  const { events } = new JournalTruth("a", plan);
  const replayed = events.slice(0, 1).map((event) => ({ ...event, replayed: true as const }));
  const file = eventFile(context, [...replayed, ...events.slice(2)], '{"other":1}\n\n');
  const { exitCode, stdout } = await runCli("verify", file, "--json");
  assert.equal(exitCode, 0, stdout);
  const { foreign, read, journals } = JSON.parse(stdout) as {
    foreign: number;
    read: number;
    journals: { startsAt: { sequence: number } }[];
  };
  assert.deepEqual([foreign, read], [1, events.length]);
  assert.equal(journals[0]?.startsAt.sequence, 4);
});

test("an event of a later version is counted, and holds its number", async (context) => {
  const { events } = new JournalTruth("a", plan);
  const file = eventFile(
    context,
    events.map((event, at) =>
      at === 1 ? { ...event, dataschema: "urn:certwire:schema:certificate.issued:v9" } : event,
    ),
  );
  const { stdout } = await runCli("verify", file);
  assert.match(stdout, /^1 event of a later version/m);
});

test("of many epochs those with holes are shown", () => {
  const records = [{ do: "issue" }, { do: "issue" }] as const;
  const plans = Array.from({ length: 120 }, () => ({
    records,
    end: "clean" as const,
    isNextMissing: false,
  }));
  const completeness = new Completeness();
  for (const event of new JournalTruth("a", plans).events) {
    if (!event.sequence?.startsWith("0000000007-00000000000000000003")) completeness.add(event);
  }
  const lines = reportLines(completeness.report());
  assert.ok(lines.some((line) => /^  7 +2 +5 /.test(line)));
  assert.ok(lines.includes("  ... 70 more epochs, see --json"));
  assert.ok(lines.length < 65);
});

test("no line of the help is wider than 80 columns", async () => {
  const { stdout } = await runCli("verify", "--help");
  const lines = stdout.split("\n");
  assert.deepEqual(
    lines.filter((line) => line.length > 80),
    [],
  );
});

test("the progress says how much is read and how long the rest takes", () => {
  assert.equal(countLine(500, 2000, 1000, "messages"), "25 % of 2000 messages, 500/s, 3 s left");
  assert.equal(countLine(500, undefined, 1000, "messages"), "500 messages, 500/s");
});

const tokens = ["--kafka", "kafkas://h/t", "--mechanism", "oauthbearer"];
const client = ["--client-id", "c", "--client-secret-file", "secret.txt"];

const wrongUsages: readonly (readonly [about: string, words: string[], message: RegExp])[] = [
  ["nothing to verify", [], /choose --kafka URL, --rabbitmq-stream URL or FILE/],
  ["two things to verify", ["x.ndjson", "--kafka", "kafka://localhost/t"], /choose/],
  ["a topic without a name", ["--kafka", "kafka://localhost"], /names no topic/],
  ["a topic with a placeholder", ["--kafka", "kafka://localhost/t.{kind}"], /without placeholders/],
  ["a password in the URL of a topic", ["--kafka", "kafka://u:Ge5eim@h/t"], /holds a password/],
  [
    "a password in the URL of a stream",
    ["--rabbitmq-stream", "amqp://u:Ge5eim@h/?stream=s"],
    /holds/,
  ],
  ["a user without a password", ["--rabbitmq-stream", "amqp://u@h/?stream=s"], /no password/],
  ["a SASL user without a password", ["--kafka", "kafka://h/t", "--username", "u"], /together/],
  [
    "an option of tokens with a password",
    ["--kafka", "kafka://h/t", "--token-endpoint", "https://h/t"],
    /--token-endpoint is not for --mechanism scram-sha-512/,
  ],
  [
    "a user with tokens",
    ["--kafka", "kafka://h/t", "--mechanism", "oauthbearer", "--username", "u"],
    /--username is not for --mechanism oauthbearer/,
  ],
  [
    "tokens without a client secret",
    [...tokens, "--token-endpoint", "https://h/t", "--client-id", "c"],
    /needs --token-endpoint, --client-id and a client secret/,
  ],
  [
    "a secret in the URL of the token endpoint",
    [...tokens, ...client, "--token-endpoint", "https://c:Ge5eim@h/t"],
    /oauth\.tokenEndpoint: the URL holds a user or a password/,
  ],
  [
    "two client secrets",
    [...tokens, ...client, "--token-endpoint", "https://h/t", "--client-secret-environment", "S"],
    /cannot be used together/,
  ],
  [
    "a SASL extension without a value",
    [...tokens, ...client, "--token-endpoint", "https://h/t", "--sasl-extension", "cluster"],
    /must be name=value/,
  ],
  [
    "AWS IAM without a region",
    ["--kafka", "kafkas://h/t", "--mechanism", "aws-msk-iam"],
    /needs --aws-region/,
  ],
  [
    "tokens for a stream",
    ["--rabbitmq-stream", "amqp://h/?stream=s", "--client-id", "c"],
    /--client-id is for Kafka/,
  ],
  ["a stream without a name", ["--rabbitmq-stream", "amqp://localhost/"], /names no stream/],
  [
    "a stream in an exchange",
    ["--rabbitmq-stream", "amqp://h/?stream=s&exchange=e"],
    /names no stream/,
  ],
  ["a password for a file", ["x.ndjson", "--password-file", "p"], /for brokers, not for files/],
  ["a wait without end", ["x.ndjson", "--wait", "forever"], /whole number of seconds/],
  ["TLS files without TLS", ["--kafka", "kafka://h/t", "--ca-file", "ca.pem"], /kafkas:\/\//],
];

for (const [about, words, message] of wrongUsages) {
  test(`verify: ${about} is wrong usage, and no secret is repeated`, async () => {
    const { exitCode, stdout, stderr } = await runCli("verify", ...words);
    assert.equal(exitCode, 2, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /Ge5eim/);
  });
}

test("a broker that is not there, a missing file and one without events have exit codes of their own", async (context) => {
  const kafka = await runCli("verify", "--kafka", "kafka://localhost:1/t");
  assert.equal(kafka.exitCode, 69, kafka.stderr);
  assert.equal(kafka.stderr.match(/ECONNREFUSED/g)?.length, 1, kafka.stderr);
  const rabbit = await runCli("verify", "--rabbitmq-stream", "amqp://localhost:1/?stream=s");
  assert.equal(rabbit.exitCode, 69, rabbit.stderr);
  const missing = await runCli("verify", join(temporaryDirectory(context), "none.ndjson"));
  assert.equal(missing.exitCode, 74);
  const directory = await runCli("verify", temporaryDirectory(context));
  assert.equal(directory.exitCode, 74);
  assert.match(directory.stderr, /is a directory\nhint: Name a file in it/);
  const empty = await runCli("verify", eventFile(context, []));
  assert.equal(empty.exitCode, 65);
  assert.match(empty.stderr, /CERTWIRE_VERIFY_EMPTY/);
});
