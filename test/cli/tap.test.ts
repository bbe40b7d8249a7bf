import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { CertwireEvent } from "../../src/events/event.ts";
import type { NativeExitSimulator } from "../../src/native/addon.ts";
import { runCli } from "../support/run-cli.ts";
import { type RunningTap, startTap } from "../support/running-tap.ts";
import { flushed, journalDirectory, openSmall, smallEvent } from "../support/small-journal.ts";

/** A journal that has the requests 1 to `count`, and its writer. */
async function growingJournal(t: TestContext, count: number) {
  const directory = journalDirectory(t);
  const simulator = openSmall(directory);
  t.after(() => simulator.close());
  for (let id = 1; id <= count; id += 1) notify(simulator, id);
  await flushed(simulator);
  return { directory, simulator };
}

/** Even requests ask for the template Web, odd ones for User; every third one is denied. */
function notify(simulator: NativeExitSimulator, id: number): void {
  const event = smallEvent(id, 10);
  const template = id % 2 === 0 ? "Web" : "User";
  const certificate = { CertificateTemplate: { string: template } };
  const isDenied = id % 3 === 0;
  const request = { ...event.request, Disposition: { long: isDenied ? 31 : 20 } };
  simulator.notify({ ...event, event: isDenied ? 4 : 1, request, certificate });
}

function requestsOf(tap: RunningTap): number[] {
  return tap.lines().map((line) => {
    const { data } = JSON.parse(line) as CertwireEvent;
    return (data["request"] as { requestId: number }).requestId;
  });
}

test("tap shows the newest events of a journal, then each one that comes", async (t) => {
  const { directory, simulator } = await growingJournal(t, 20);
  const tap = startTap(t, ["-j", directory, "--last", "2"]);
  await tap.shows(3);
  notify(simulator, 21);
  await tap.shows(4);
  const [header = "", ...rows] = tap.lines();
  assert.match(header, /^time \(UTC\) +event +request +age +subject, requester +template/);
  assert.deepEqual(
    rows.map((row) => Number(row.slice(37, 44))),
    [19, 20, 21],
  );
  assert.match(rows[2] ?? "", /^\d\d:\d\d:\d\d\.\d{3} {2}request\.denied +21 +\d+ (ms|s|min) /);
  assert.deepEqual(await tap.stop(), {
    exitCode: 0,
    stderr: `journal ${directory}: Ctrl-C ends it\n`,
  });
});

test("without --last tap shows the ten newest events, with --last 0 none", async (t) => {
  const { directory, simulator } = await growingJournal(t, 20);
  const usual = startTap(t, ["-j", directory, "--json"]);
  await usual.shows(10);
  const none = startTap(t, ["-j", directory, "--json", "--last", "0"]);
  await none.isFollowing();
  // A journal that was read to its end shows at once what comes after that.
  for (let id = 21; none.lines().length === 0; id += 1) {
    notify(simulator, id);
    await flushed(simulator);
  }
  assert.deepEqual(requestsOf(usual).slice(0, 10), [11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
  assert.ok((requestsOf(none)[0] ?? 0) > 20);
  assert.equal((await usual.stop()).exitCode, 0);
  assert.equal((await none.stop()).exitCode, 0);
});

test("tap shows only events of the kinds, requests and templates that are asked for, past and coming", async (t) => {
  const { directory, simulator } = await growingJournal(t, 12);
  const kinds = startTap(t, ["-j", directory, "--json", "--kind", "request.denied"]);
  const templates = startTap(t, [
    "-j",
    directory,
    "--json",
    "--where",
    "template=w*",
    "--last",
    "3",
  ]);
  const requests = startTap(t, [
    "-j",
    directory,
    "--json",
    "--request-id",
    "5",
    "--request-id",
    "14",
  ]);
  await kinds.shows(4);
  await templates.shows(3);
  await requests.shows(1);
  for (let id = 13; id <= 15; id += 1) notify(simulator, id);
  await kinds.shows(5);
  await templates.shows(4);
  await requests.shows(2);
  assert.deepEqual(requestsOf(kinds), [3, 6, 9, 12, 15]);
  assert.deepEqual(requestsOf(templates), [8, 10, 12, 14]);
  assert.deepEqual(requestsOf(requests), [5, 14]);
});

test("with --from tap begins with all events of the journal since then", async (t) => {
  const { directory } = await growingJournal(t, 30);
  const all = startTap(t, ["-j", directory, "--json", "--from", "2000-01-01"]);
  await all.shows(30);
  const none = startTap(t, ["-j", directory, "--json", "--from", "2999-01-01"]);
  await none.isFollowing();
  await all.stop();
  await none.stop();
  assert.deepEqual(
    requestsOf(all),
    Array.from({ length: 30 }, (_, n) => n + 1),
  );
  assert.deepEqual(none.lines(), []);
});

test("tap ends when the reader of its output has gone", async (t) => {
  const { directory, simulator } = await growingJournal(t, 20);
  const tap = startTap(t, ["-j", directory]);
  await tap.shows(11);
  tap.closeOutput();
  let id = 20;
  const writing = setInterval(() => notify(simulator, (id += 1)), 10);
  t.after(() => clearInterval(writing));
  assert.equal((await tap.ended()).exitCode, 0);
});

const usages: readonly (readonly [about: string, words: string[], message: RegExp])[] = [
  ["two things to follow", ["-j", "x", "--kafka", "kafka://h/t"], /choose one of --journal/],
  ["a past of a broker", ["--kafka", "kafka://h/t", "--last", "5"], /are for journals/],
  [
    "a password for a journal",
    ["-j", "x", "--password-file", "p"],
    /--password-file is for brokers/,
  ],
  ["a condition without a pattern", ["-j", "x", "--where", "template"], /template=Web\*/],
  [
    "a condition on something else",
    ["-j", "x", "--where", "serial=1"],
    /members: template, requester, ca/,
  ],
  [
    "a password in the URL",
    ["--rabbitmq", "amqp://u:s3cret@h/?exchange=e"],
    /^(?!.*s3cret).*CERTWIRE_USAGE/s,
  ],
];
for (const [about, words, message] of usages) {
  test(`tap refuses ${about} with exit code 2`, async () => {
    const { exitCode, stdout, stderr } = await runCli("tap", ...words);
    assert.equal(exitCode, 2, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, message);
  });
}

test("a Kafka that does not answer is reported, and tried again until tap is stopped", async (t) => {
  const tap = startTap(t, ["--kafka", "kafka://127.0.0.1:1/topic"]);
  await tap.logs(/(cannot connect, trying again: .*\n.*){2}/s);
  assert.equal((await tap.stop()).exitCode, 0);
});

test("a RabbitMQ that does not answer ends tap with 69", async () => {
  const { exitCode, stderr } = await runCli("tap", "--rabbitmq", "amqp://127.0.0.1:1/?exchange=e");
  assert.equal(exitCode, 69, stderr);
  assert.match(
    stderr,
    /CERTWIRE_CONSUMER_UNREACHABLE: cannot follow the exchange "e": .*ECONNREFUSED/,
  );
});

test("a journal that cannot be read ends tap with 74", async () => {
  const { exitCode, stderr } = await runCli("tap", "-j", "there/is/none");
  assert.equal(exitCode, 74);
  assert.match(stderr, /CERTWIRE_JOURNAL_UNREADABLE/);
});
