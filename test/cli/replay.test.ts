import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { DeadLetter } from "../../src/state/dead-letter.ts";
import { runCli, startCli, temporaryDirectory } from "../support/run-cli.ts";
import { sampleEvent } from "../support/sample-events.ts";
import { settled, until } from "../support/until.ts";

function eventLines(count: number, padBytes = 0): string {
  const numbers = Array.from({ length: count }, (_, at) => at + 1);
  return numbers.map((n) => `${JSON.stringify(sampleEvent(n, "ca", padBytes))}\n`).join("");
}

function eventFile(context: TestContext, text: string): string {
  const file = join(temporaryDirectory(context), "events.ndjson");
  writeFileSync(file, text);
  return file;
}

test("the plan counts the lines that are not JSON and are left out", async (context) => {
  const file = eventFile(context, `${eventLines(2)}{"specversion":"1.\n`);
  const { exitCode, stdout, stderr } = await runCli("replay", file, "--stdout");
  assert.equal(exitCode, 0, stderr);
  assert.equal(stdout.trim().split("\n").length, 2);
  assert.match(stderr, /1 lines are not JSON/);
});

test("a plan that is interrupted is not printed, nothing is sent, and the exit code is 130", async (context) => {
  const file = eventFile(context, "");
  // Takes far longer to read than the signal takes to arrive.
  const portion = eventLines(500, 1000);
  for (let at = 0; at < 100; at += 1) appendFileSync(file, portion);
  const replay = startCli(["replay", file, "--stdout"]);
  await until(() => isOpenIn(replay.child.pid, file), "the replay has opened the file");
  replay.child.kill("SIGTERM");
  const { exitCode, stdout, stderr } = await settled(replay.ended, "the replay has ended");
  assert.equal(exitCode, 130, stderr);
  assert.equal(stdout, "");
  assert.doesNotMatch(stderr, /replay plan/);
});

/** True if a process has a file open. */
function isOpenIn(pid: number | undefined, file: string): boolean {
  const directory = `/proc/${pid}/fd`;
  return readdirSync(directory).some((fd) => {
    try {
      return readlinkSync(join(directory, fd)) === file;
    } catch {
      return false; // closed meanwhile
    }
  });
}

test("a pipe is refused, since a replay reads its file twice", async (context) => {
  const pipe = join(temporaryDirectory(context), "events");
  execFileSync("mkfifo", [pipe]);
  const { exitCode, stderr } = await runCli("replay", pipe, "--stdout");
  assert.equal(exitCode, 74, stderr);
  assert.match(stderr, /events is not a regular file/);
  assert.match(stderr, /write the events to a regular file first/);
});

test("a replay ends when its standard output is no longer read", async (context) => {
  const file = eventFile(context, eventLines(3000, 1000));
  const replay = startCli(["replay", file, "--stdout"]);
  replay.child.stdout?.once("data", () => replay.child.stdout?.destroy());
  const { exitCode, stderr } = await replay.ended;
  assert.equal(exitCode, 0, stderr);
  assert.match(stderr, /of 3000 events acknowledged/);
});

test("a replay to a file sink leaves the files of the service alone", async (context) => {
  const directory = temporaryDirectory(context);
  const config = join(directory, "certwire.json");
  const sinks = [{ name: "files", url: "file:events" }];
  const journal = { directory: join(directory, "journal") };
  writeFileSync(config, JSON.stringify({ journal, state: { directory }, sinks }));
  const file = eventFile(context, eventLines(3));
  const { exitCode, stderr } = await runCli(
    "replay",
    file,
    "--config",
    config,
    "--to-sink",
    "files",
  );
  assert.equal(exitCode, 0, stderr);
  const [own, ...others] = readdirSync(join(directory, "events"));
  assert.match(own ?? "", /^replay-/);
  assert.deepEqual(others, []);
  const [written = ""] = readdirSync(join(directory, "events", own ?? "")).filter((name) =>
    name.endsWith(".ndjson"),
  );
  const lines = readFileSync(join(directory, "events", own ?? "", written), "utf8").trim();
  assert.equal(lines.split("\n").length, 3);
});

test("a replay to a sink leaves out what the sink does not want, and its plan says so", async (context) => {
  const directory = temporaryDirectory(context);
  const config = join(directory, "certwire.json");
  const except = [{ requester: ["corp\\*"] }];
  const sinks = [{ name: "files", url: "file:events", except }];
  const journal = { directory: join(directory, "journal") };
  writeFileSync(config, JSON.stringify({ journal, state: { directory }, sinks }));
  const own = { ...sampleEvent(3), data: { request: { requesterName: "CORP\\alice" } } };
  const file = eventFile(context, `${eventLines(2)}${JSON.stringify(own)}\n`);
  const words = [file, "--config", config, "--to-sink", "files"];
  const { exitCode, stderr } = await runCli("replay", ...words);
  assert.equal(exitCode, 0, stderr);
  assert.match(
    stderr,
    /events +2, 2 certificate.issued\n +left out +1 that the sink does not want/,
  );
  assert.match(stderr, /2 of 2 events acknowledged/);
});

test("the plan of a replay to a sink needs no secret of it", async (context) => {
  const directory = temporaryDirectory(context);
  const config = join(directory, "certwire.json");
  const url = "amqp://guest@localhost/?exchange=e";
  const sinks = [{ name: "rabbit", url, password: { file: "missing" } }];
  const journal = { directory: join(directory, "journal") };
  writeFileSync(config, JSON.stringify({ journal, state: { directory }, sinks }));
  const words = [eventFile(context, eventLines(2)), "-c", config, "--to-sink", "rabbit"];
  const { exitCode, stderr } = await runCli("replay", ...words, "--dry-run");
  assert.equal(exitCode, 0, stderr);
  assert.match(stderr, /target +sink rabbit/);
});

test("a replay to a sink shows no more of an event than the sink may show", async (context) => {
  const directory = temporaryDirectory(context);
  const config = join(directory, "certwire.json");
  const redact = { remove: ["request.requesterName"] };
  const sinks = [{ name: "files", url: "file:events", redact }];
  const journal = { directory: join(directory, "journal") };
  writeFileSync(config, JSON.stringify({ journal, state: { directory }, sinks }));
  const data = { request: { requesterName: "CORP\\alice", dispositionMessage: "by corp\\Alice" } };
  const file = eventFile(context, `${JSON.stringify({ ...sampleEvent(1), data })}\n`);
  const { exitCode, stderr } = await runCli("replay", file, "-c", config, "--to-sink", "files");
  assert.equal(exitCode, 0, stderr);
  const written = readdirSync(join(directory, "events"), { recursive: true, encoding: "utf8" });
  const name = written.find((each) => each.endsWith(".ndjson")) ?? "";
  const line = readFileSync(join(directory, "events", name), "utf8");
  assert.deepEqual(JSON.parse(line).data.request, { dispositionMessage: "by [redacted]" });
});

test("a replay whose events become dead letters ends with 3 and says where they are", async (context) => {
  const directory = temporaryDirectory(context);
  const config = join(directory, "certwire.json");
  const sinks = [{ name: "files", url: "file:events", maxEventBytes: 16_384 }];
  const journal = { directory: join(directory, "journal") };
  writeFileSync(config, JSON.stringify({ journal, state: { directory }, sinks }));
  // What is left out of an event that is too large is named in `problems`, which is not a list here.
  const large = sampleEvent(4, "ca", 20_000);
  const hopeless = { ...large, data: { ...large.data, problems: "none" } };
  const file = eventFile(context, `${eventLines(3)}${JSON.stringify(hopeless)}\n`);
  const words = [file, "--config", config, "--to-sink", "files"];
  const { exitCode, stderr } = await runCli("replay", ...words);
  assert.equal(exitCode, 3, stderr);
  const letters = join(directory, "dead-letters", "replay-files.ndjson");
  assert.ok(stderr.includes(`3 of 4 events acknowledged, 1 dead letters in ${letters}`), stderr);
  const [letter, ...others] = readFileSync(letters, "utf8").trim().split("\n");
  assert.deepEqual(others, []);
  const { reason, event } = JSON.parse(letter ?? "") as DeadLetter;
  assert.deepEqual([reason, event?.id], ["unencodable", hopeless.id]);
});

test("a replay that sends less than its plan counted ends with 74", async (context) => {
  const file = eventFile(context, "");
  const portion = eventLines(500, 1000);
  for (let at = 0; at < 60; at += 1) appendFileSync(file, portion);
  const replay = startCli(["replay", file, "--stdout"]);
  // What the reader does not take is never all in flight: the rest is still to be read from the file.
  replay.child.stdout?.pause();
  await replay.logged("checkpoints untouched");
  truncateSync(file, portion.length * 40);
  replay.child.stdout?.resume();
  const { exitCode, stderr } = await settled(replay.ended, "the replay has ended");
  assert.equal(exitCode, 74, stderr);
  assert.match(stderr, /CERTWIRE_EVENTS_UNREADABLE: .* lost events meanwhile/);
});
