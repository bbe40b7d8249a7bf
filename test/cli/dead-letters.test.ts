import assert from "node:assert/strict";
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { DeadLetterReason } from "../../src/state/dead-letter.ts";
import { runCli, temporaryDirectory } from "../support/run-cli.ts";
import { sampleEvent } from "../support/sample-events.ts";

const damagedAt = "2026-01-31T12:00:00.000Z";

/** A letter; a higher number is of a later time. */
function letterOf(number: number, sink: string, reason: DeadLetterReason = "unroutable"): string {
  const message = `no queue takes event ${number}\u001B[2J\nforged row`;
  const time = `2026-01-31T12:00:0${number}.000Z`;
  return `${JSON.stringify({ time, sink, reason, message, event: sampleEvent(number) })}\n`;
}

/** The same letter, written an hour later. */
function anHourLater(letter: string): string {
  return letter.replace("T12:", "T13:");
}

/** A configuration with the sink `files` with these options and others, and a state directory with these dead-letter files. */
function prepare(
  context: TestContext,
  files: Readonly<Record<string, string>>,
  options: object = {},
  ...others: readonly object[]
) {
  const directory = temporaryDirectory(context);
  const config = join(directory, "certwire.json");
  const sinks = [
    { name: "files", url: `file://${join(directory, "events")}`, ...options },
    ...others,
  ];
  const [journal, state] = ["journal", "state"].map((name) => ({
    directory: join(directory, name),
  }));
  writeFileSync(config, JSON.stringify({ journal, state, sinks }));
  const letters = join(directory, "state", "dead-letters");
  mkdirSync(letters, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(letters, name), text);
  const eventLines = (): string[] =>
    readdirSync(join(directory, "events"), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ndjson"))
      .flatMap((name) =>
        readFileSync(join(directory, "events", name), "utf8")
          .trim()
          .split("\n"),
      );
  const published = (): string[] =>
    eventLines()
      .map((line) => JSON.parse(line))
      .map(({ id, replayed }) => `${id} ${replayed}`);
  const run = (command: string, ...words: string[]) =>
    runCli("dead-letters", command, ...words, "--config", config);
  return { letters, eventLines, published, run };
}

const idOf = (number: number): string => sampleEvent(number).id;

test("dead letters are counted by sink and reason, and the newest are listed without control characters", async (context) => {
  const { run } = prepare(context, {
    "files.1.ndjson": `${letterOf(2, "files")}${letterOf(3, "files", "rejected")}not JSON\n`,
    "files.ndjson": letterOf(4, "files"),
    "gone.ndjson": letterOf(1, "gone"),
  });
  const { exitCode, stdout, stderr } = await run("list", "--limit", "2");
  assert.equal(exitCode, 0, stderr);
  assert.match(stdout, /^4 dead letters \(3 files, /);
  assert.match(stdout, /files +unroutable +\S+ +2 +0 /);
  assert.match(stdout, /files +rejected +\S+ +1 +0 /);
  assert.ok(stdout.includes(idOf(3)) && stdout.includes(idOf(4)));
  assert.ok(!stdout.includes(idOf(1)) && !stdout.includes(idOf(2)), "only the newest are listed");
  assert.doesNotMatch(stdout, /^forged row/m);
  assert.ok(!stdout.includes("\u001B"));
  assert.match(stderr, /1 lines are not dead letters and are left out, first .*files\.1\.ndjson:3/);
  const json = await run("list", "--json", "--reason", "rejected");
  assert.deepEqual(
    json.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).id),
    [idOf(3)],
  );
});

test("a dead letter is shown whole by its id, and an unknown id is an error that says where ids are", async (context) => {
  const { run } = prepare(context, { "files.ndjson": letterOf(1, "files") });
  const { stdout } = await run("show", idOf(1));
  assert.deepEqual(JSON.parse(stdout).event, sampleEvent(1));
  const { exitCode, stderr } = await run("show", "nothing");
  assert.equal(exitCode, 2);
  assert.match(stderr, /no dead letter with the id nothing[\s\S]*dead-letters list/);
});

test("a redrive publishes each letter once, whatever is run again, and marks it", async (context) => {
  const { published, run } = prepare(context, {
    "files.1.ndjson": letterOf(1, "files"),
    "files.ndjson": `${letterOf(2, "files")}${letterOf(1, "files")}`,
  });
  const plan = await run("redrive", "--dry-run");
  assert.match(plan.stderr, /sink files +2 letters, 2 unroutable/);
  assert.throws(published, { code: "ENOENT" }, "a dry run publishes nothing");
  const first = await run("redrive", "--id", idOf(2));
  assert.equal(first.exitCode, 0, first.stderr);
  assert.match(first.stderr, /sink files: 1 of 1 letters redriven, 1 events/);
  const second = await run("redrive");
  assert.match(second.stderr, /left out +1 that were redriven before/);
  assert.match(second.stderr, /sink files: 1 of 1 letters redriven, 1 events/);
  await run("redrive");
  assert.deepEqual(published().toSorted(), [`${idOf(1)} true`, `${idOf(2)} true`]);
  const list = await run("list");
  assert.match(list.stdout, /files +unroutable +\S+ +3 +3 /);
});

test("an event with letters of two reasons is redriven once, whichever reason comes first", async (context) => {
  for (const [first, second] of [
    ["unroutable", "rejected"],
    ["rejected", "unroutable"],
  ] as const) {
    const { letters, published, run } = prepare(context, {
      "files.1.ndjson": `${letterOf(1, "files")}${letterOf(2, "files")}`,
      "files.ndjson": anHourLater(letterOf(1, "files", "rejected")),
    });
    const one = await run("redrive", "--reason", first, "--id", idOf(1));
    assert.match(one.stderr, /sink files: 1 of 1 letters redriven, 1 events/);
    const other = await run("redrive", "--reason", second, "--id", idOf(1), "--delete");
    assert.match(other.stderr, /left out +1 that were redriven before/);
    assert.doesNotMatch(other.stderr, /letters redriven/);
    assert.deepEqual(published(), [`${idOf(1)} true`]);
    assert.match((await run("list")).stdout, /files +unroutable +\S+ +2 +1 /);
    assert.deepEqual(readdirSync(letters), ["files.1.ndjson"], "whose letter 2 is still to go");
  }
});

test("a file whose letters were marked with those of another reason is deleted", async (context) => {
  const { letters, run } = prepare(context, {
    "files.1.ndjson": letterOf(1, "files"),
    "files.2.ndjson": anHourLater(letterOf(1, "files", "rejected")),
    "files.ndjson": letterOf(2, "files", "rejected"),
  });
  const { stderr } = await run("redrive", "--reason", "unroutable", "--delete");
  assert.match(stderr, /1 of 1 letters redriven[\s\S]*2 of 3 files deleted/);
  assert.deepEqual(readdirSync(letters), ["files.ndjson"]);
});

test("a redrive drops the marks of letters that are gone, and none while a line cannot be read", async (context) => {
  const { letters, run } = prepare(context, {
    "files.1.ndjson": letterOf(1, "files"),
    "files.2.ndjson": letterOf(2, "files"),
    "files.ndjson": letterOf(3, "files", "rejected"),
  });
  const marked = () =>
    readFileSync(join(letters, "..", "redriven.ndjson"), "utf8")
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line).id);
  const redriveNone = () => run("redrive", "--reason", "undecodable");
  await run("redrive", "--reason", "unroutable");
  assert.deepEqual(marked(), [idOf(1), idOf(2)]);
  await redriveNone();
  assert.deepEqual(marked(), [idOf(1), idOf(2)], "their letters are still there");

  rmSync(join(letters, "files.1.ndjson"));
  await run("redrive", "--dry-run");
  appendFileSync(join(letters, "files.ndjson"), "not JSON\n");
  await redriveNone();
  assert.deepEqual(marked(), [idOf(1), idOf(2)], "what cannot be read may be any letter");

  writeFileSync(join(letters, "files.ndjson"), letterOf(3, "files", "rejected"));
  const { exitCode, stderr } = await redriveNone();
  assert.equal(exitCode, 0, stderr);
  assert.deepEqual(marked(), [idOf(2)]);
  const last = await run("redrive", "--delete");
  assert.match(last.stderr, /left out +1 that were redriven before[\s\S]*2 of 2 files deleted/);
  await run("redrive");
  assert.deepEqual(marked(), []);
});

test("a redrive needs no secret for its plan, and none but those of the sinks that get letters", async (context) => {
  const { published, run } = prepare(
    context,
    { "files.ndjson": letterOf(1, "files") },
    {},
    ...["rabbit", "other"].map((name) => ({
      name,
      url: "amqp://guest@localhost/?exchange=e",
      password: { file: "missing" },
    })),
  );
  const { exitCode, stderr } = await run("redrive");
  assert.equal(exitCode, 0, stderr);
  assert.deepEqual(published(), [`${idOf(1)} true`]);
});

test("the plan is shown before a password is read that is missing", async (context) => {
  const url = "amqp://guest@localhost/?exchange=e";
  const rabbit = { name: "rabbit", url, password: { file: "missing" } };
  const { run } = prepare(context, { "rabbit.ndjson": letterOf(1, "rabbit") }, {}, rabbit);
  const plan = await run("redrive", "--dry-run");
  assert.equal(plan.exitCode, 0, plan.stderr);
  assert.match(plan.stderr, /sink rabbit +1 letters, 1 unroutable/);
  const { exitCode, stderr } = await run("redrive");
  assert.equal(exitCode, 78, stderr);
  assert.match(stderr, /sink rabbit +1 letters, 1 unroutable[\s\S]*secret file cannot be read/);
});

test("letters whose events the sink does not want now stay, and can be redriven later", async (context) => {
  const only = [{ kind: ["crl.issued"] }];
  const { published, run } = prepare(context, { "files.ndjson": letterOf(1, "files") }, { only });
  const { exitCode, stderr } = await run("redrive");
  assert.equal(exitCode, 0, stderr);
  assert.match(
    stderr,
    /0 of 1 letters redriven, 0 events\n +1 stay: the sink does not want them now/,
  );
  assert.throws(published, { code: "ENOENT" });
  assert.match((await run("list")).stdout, /files +unroutable +\S+ +1 +0 /);
});

test("a redrive shows no more of an event than its sink may show now", async (context) => {
  const data = { request: { requesterName: "CORP\\alice", commonName: "alice" }, problems: [] };
  const letter = { ...JSON.parse(letterOf(1, "files")), event: { ...sampleEvent(1), data } };
  const files = { "files.ndjson": `${JSON.stringify(letter)}\n` };
  const redact = { remove: ["request.requesterName"] };
  const { eventLines, run } = prepare(context, files, { redact });
  const { exitCode, stderr } = await run("redrive");
  assert.equal(exitCode, 0, stderr);
  const [line = ""] = eventLines();
  assert.deepEqual(JSON.parse(line).data.request, { commonName: "[redacted]" });
});

test("a letter without the requester that its sink asks for is redriven all the same", async (context) => {
  const problem = { property: "request.requesterName", reason: "redacted", detail: "HMAC-SHA-256" };
  const data = { request: { requesterName: "0".repeat(64) }, problems: [problem] };
  const letter = { ...JSON.parse(letterOf(1, "files")), event: { ...sampleEvent(1), data } };
  const files = { "files.ndjson": `${JSON.stringify(letter)}\n` };
  const shape = {
    only: [{ requester: ["CORP\\svc-*"] }],
    redact: { remove: ["request.requesterName"] },
  };
  const { eventLines, run } = prepare(context, files, shape);
  const { exitCode, stderr } = await run("redrive");
  assert.equal(exitCode, 0, stderr);
  assert.match(stderr, /1 of 1 letters redriven, 1 events/);
  assert.doesNotMatch(eventLines().join(), /0{64}/, "the sink removes the requester now");
});

test("letters of a sink that is not in the configuration stay, with exit code 3", async (context) => {
  const { letters, run } = prepare(context, { "gone.ndjson": letterOf(1, "gone") });
  const { exitCode, stderr } = await run("redrive", "--delete");
  assert.equal(exitCode, 3, stderr);
  assert.match(stderr, /sink gone +1 letters, 1 unroutable; not in the configuration/);
  assert.deepEqual(readdirSync(letters), ["gone.ndjson"]);
});

test("letters of a sink that was renamed are published to the one that --to-sink names", async (context) => {
  const { published, run } = prepare(context, { "gone.ndjson": letterOf(1, "gone") });
  const { exitCode, stderr } = await run("redrive", "--to-sink", "files");
  assert.equal(exitCode, 0, stderr);
  assert.match(stderr, /sink gone +1 letters to sink files, 1 unroutable/);
  assert.deepEqual(published(), [`${idOf(1)} true`]);
});

test("an event that became a dead letter once more is redriven once more", async (context) => {
  const { letters, published, run } = prepare(context, { "files.ndjson": letterOf(1, "files") });
  await run("redrive");
  const later = { ...JSON.parse(letterOf(1, "files")), time: new Date().toISOString() };
  writeFileSync(join(letters, "replay-files.ndjson"), `${JSON.stringify(later)}\n`);
  const { stderr } = await run("redrive", "--delete");
  assert.match(stderr, /1 of 1 letters redriven/);
  assert.equal(published().length, 2);
  assert.deepEqual(readdirSync(letters), []);
});

test("a new letter of an event that was redriven before is the one that is sent, once", async (context) => {
  const { letters, published, run } = prepare(context, { "files.ndjson": letterOf(1, "files") });
  await run("redrive");
  appendFileSync(join(letters, "files.ndjson"), anHourLater(letterOf(1, "files")));
  await run("redrive");
  const { stderr } = await run("redrive");
  assert.match(stderr, /left out +2 that were redriven before/);
  assert.equal(published().length, 2);
});

test("letters of a clock that was ahead are redriven once, and their file is deleted", async (context) => {
  const ahead = JSON.stringify({
    ...JSON.parse(letterOf(1, "files")),
    time: "2099-01-01T00:00:00.000Z",
  });
  const { letters, published, run } = prepare(context, {
    "files.1.ndjson": letterOf(1, "files"),
    "files.ndjson": `${ahead}\n`,
  });
  await run("redrive");
  assert.match((await run("list")).stdout, /files +unroutable +\S+ +2 +2 /);
  assert.doesNotMatch((await run("redrive")).stderr, /letters redriven/);
  await run("redrive", "--delete");
  assert.deepEqual([published(), readdirSync(letters)], [[`${idOf(1)} true`], []]);
});

test("a letter that was written after a clock was set back is not taken for the one that was redriven", async (context) => {
  const { letters, published, run } = prepare(context, { "files.ndjson": letterOf(1, "files") });
  await run("redrive");
  const earlier = { ...JSON.parse(letterOf(1, "files")), time: "2001-01-01T00:00:00.000Z" };
  writeFileSync(join(letters, "files.2.ndjson"), `${JSON.stringify(earlier)}\n`);
  const { stderr } = await run("redrive", "--delete");
  assert.match(stderr, /1 of 1 letters redriven[\s\S]*2 of 2 files deleted/);
  assert.equal(published().length, 2);
});

test("of a sink that refused some letters the files without these are deleted", async (context) => {
  const record = { epochNumber: 1, epochId: "e", sequence: "1", index: 0, time: "1" };
  const payload = Buffer.from("not CBOR").toString("base64");
  const letter = { time: damagedAt, sink: "files", reason: "undecodable", message: "damaged" };
  const damaged = { ...letter, record: { ...record, type: 1, schema: 1, payload } };
  const { letters, run } = prepare(context, {
    "files.1.ndjson": letterOf(1, "files"),
    "files.2.ndjson": `${letterOf(2, "files")}${JSON.stringify(damaged)}\n`,
    "files.ndjson": letterOf(3, "files"),
  });
  const { exitCode, stderr } = await run("redrive", "--delete");
  assert.equal(exitCode, 3, stderr);
  assert.match(stderr, /3 of 4 letters redriven[\s\S]*2 of 3 files deleted/);
  assert.deepEqual(readdirSync(letters), ["files.2.ndjson"]);
});

test("an id that no letter has is an error, and nothing is sent", async (context) => {
  const { published, run } = prepare(context, { "files.ndjson": letterOf(1, "files") });
  const { exitCode, stderr } = await run("redrive", "--id", idOf(1), "--id", "typo");
  assert.equal(exitCode, 2);
  assert.match(stderr, /no dead letter with the id typo/);
  assert.throws(published, { code: "ENOENT" });
});

test("--delete deletes the files of which nothing is left to redrive, and no other", async (context) => {
  const { letters, run } = prepare(context, {
    "files.1.ndjson": letterOf(1, "files"),
    "files.2.ndjson": `${letterOf(2, "files")}not JSON\n`,
    "files.ndjson": letterOf(3, "files"),
    "gone.ndjson": letterOf(4, "gone"),
  });
  const { stderr } = await run("redrive", "--delete");
  assert.match(stderr, /2 of 4 files deleted/);
  assert.deepEqual(readdirSync(letters).toSorted(), ["files.2.ndjson", "gone.ndjson"]);
});

test("a record that still cannot be decoded stays, with exit code 3", async (context) => {
  const record = { epochNumber: 1, epochId: "e", sequence: "1", index: 0, time: "1" };
  const payload = Buffer.from("not CBOR").toString("base64");
  const letter = { time: damagedAt, sink: "files", reason: "undecodable", message: "damaged" };
  const text = `${JSON.stringify({ ...letter, record: { ...record, type: 1, schema: 1, payload } })}\n`;
  const { run } = prepare(context, { "files.ndjson": text });
  const { exitCode, stderr } = await run("redrive");
  assert.equal(exitCode, 3, stderr);
  assert.match(stderr, /1 still cannot be decoded by this version/);
  assert.match((await run("show", "e-1")).stdout, /"damaged"/);
});
