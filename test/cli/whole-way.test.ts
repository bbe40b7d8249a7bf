import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { CertwireEvent } from "../../src/events/event.ts";
import { runCli, startCli, temporaryDirectory } from "../support/run-cli.ts";
import { scaled } from "../support/scale.ts";
import { until } from "../support/until.ts";

const mainScript = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));

/** Writes a journal with `certwire simulate`, of events that are the same each time. */
async function simulate(journal: string, count: number): Promise<void> {
  const words = ["simulate", "-j", journal, "--rate", "0", "-n", String(count), "-s", "1"];
  const simulated = await runCli(...words);
  assert.equal(simulated.exitCode, 0, simulated.stderr);
}

const usualCount = 60;
const usualDirectory = mkdtempSync(join(tmpdir(), "certwire-whole-way-"));
after(() => rmSync(usualDirectory, { recursive: true, force: true }));
/** A journal of the usual number of events, of which each test gets a copy. */
const usualJournal = join(usualDirectory, "journal");
before(() => simulate(usualJournal, usualCount));

/** A journal of a simulated CA, and a configuration with a file sink and others. */
async function prepare(directory: string, { sinks = [] as object[], count = usualCount } = {}) {
  const journal = join(directory, "journal");
  const config = join(directory, "certwire.jsonc");
  if (count === usualCount) cpSync(usualJournal, journal, { recursive: true });
  else await simulate(journal, count);
  const files = { name: "files", url: "file:events" };
  writeFileSync(
    config,
    JSON.stringify({
      journal: { directory: "journal" },
      state: { directory: "state" },
      sinks: [files, ...sinks],
    }),
  );
  return { journal, config, events: join(directory, "events") };
}

function parseLines(text: string): CertwireEvent[] {
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as CertwireEvent);
}

function textsIn(directory: string): string[] {
  const names = readdirSync(directory)
    .filter((name) => name.endsWith(".ndjson"))
    .toSorted();
  return names.map((name) => readFileSync(join(directory, name), "utf8"));
}

function publishedIn(directory: string): CertwireEvent[] {
  return textsIn(directory).flatMap(parseLines);
}

/** Searches the text, since parsing every event at every attempt would take most of the time of the tests. */
function isPublished(events: string, kind: string): boolean {
  try {
    const type = `"type":"io.certwire.${kind}.v1"`;
    return textsIn(events).some((text) => text.includes(type));
  } catch {
    return false;
  }
}

function untilPublished(events: string, kind = "ca.stopped"): Promise<boolean> {
  return until(() => isPublished(events, kind), `${kind} is published`, { everyMs: 20 });
}

test("run publishes a journal and stops on SIGTERM, each event once over two runs", async (context) => {
  const { config, events } = await prepare(temporaryDirectory(context));
  for (let round = 0; round < 2; round += 1) {
    const running = startCli(["run", "--config", config]);
    await untilPublished(events);
    await running.logged("sink opened");
    running.child.kill("SIGTERM");
    const { exitCode, stdout } = await running.ended;
    assert.equal(exitCode, 0);
    assert.equal(stdout, "", "logs are on standard error only");
  }
  const ids = publishedIn(events).map(({ id }) => id);
  assert.ok(ids.length >= 62);
  assert.equal(new Set(ids).size, ids.length);
});

test("run stops when standard input ends, if asked to", async (context) => {
  const { config, events } = await prepare(temporaryDirectory(context));
  const running = startCli(["run", "--config", config, "--stop-on-stdin-end"]);
  await untilPublished(events);
  running.child.stdin?.end();
  const { exitCode, stderr } = await running.ended;
  assert.equal(exitCode, 0);
  assert.match(stderr, /"reason":"end of standard input"/);
});

test("run stops when standard input is a device that ends at once", async (context) => {
  const { config } = await prepare(temporaryDirectory(context), { count: 1 });
  const service = spawn(
    process.execPath,
    [mainScript, "run", "-c", config, "--stop-on-stdin-end"],
    {
      stdio: "ignore",
    },
  );
  assert.deepEqual(await once(service, "close"), [0, null]);
});

test("a second signal ends run at once with exit code 130", async (context) => {
  // Standard output that is not read blocks its sink, so the first signal has something to wait for.
  const sinks = [{ name: "stuck", url: "stdout:" }];
  const count = scaled(400, { least: 200 });
  const interrupt = async () => {
    const { config, events } = await prepare(temporaryDirectory(context), { sinks, count });
    const running = startCli(["run", "--config", config]);
    context.after(() => running.child.kill("SIGKILL"));
    running.child.stdout?.pause();
    await untilPublished(events);
    running.child.kill("SIGINT");
    await running.logged("stopping");
    running.child.kill("SIGINT");
    running.child.stdout?.resume();
    const { exitCode } = await running.ended;
    // If this process is held up for 10 s, the second signal comes after the end of the wait.
    return exitCode !== 0 && { exitCode };
  };
  const { exitCode } = await until(interrupt, "the second signal comes during the wait");
  assert.equal(exitCode, 130);
});

test("replay sends the same events with the same ids, marked, and leaves the checkpoint alone", async (context) => {
  const directory = temporaryDirectory(context);
  const { journal, config, events } = await prepare(directory);
  const running = startCli(["run", "--config", config]);
  await untilPublished(events);
  running.child.kill("SIGTERM");
  await running.ended;
  const published = publishedIn(events);
  const checkpoint = readFileSync(join(directory, "state", "checkpoints", "files"));

  const replayed = await runCli("replay", "--journal", journal, "--stdout");
  assert.equal(replayed.exitCode, 0, replayed.stderr);
  assert.match(replayed.stderr, /replay plan/);
  const again = parseLines(replayed.stdout);
  assert.deepEqual(
    again,
    published.map((event) => ({ ...event, replayed: true })),
  );

  const toSink = await runCli("replay", "--config", config, "--to-sink", "files");
  assert.equal(toSink.exitCode, 0, toSink.stderr);
  const [beside] = readdirSync(events).filter((name) => name.startsWith("replay-"));
  assert.ok(beside, "a replay writes beside the service's own files");
  assert.deepEqual(publishedIn(join(events, beside)), again);
  assert.deepEqual(publishedIn(events), published);
  assert.deepEqual(readFileSync(join(directory, "state", "checkpoints", "files")), checkpoint);
});

test("replay restricts events by time, request and kind, from a file as from a journal", async (context) => {
  const directory = temporaryDirectory(context);
  const { journal } = await prepare(directory);
  const everything = await runCli("replay", "--journal", journal, "--stdout");
  const all = parseLines(everything.stdout);
  const file = join(directory, "events.ndjson");
  writeFileSync(file, everything.stdout);

  const kind = await runCli(
    "replay",
    file,
    "--kind",
    "certificate.issued",
    "--kind",
    "crl.issued",
    "--stdout",
  );
  const isWanted = ({ type }: CertwireEvent) => /(certificate|crl)\.issued\.v1$/.test(type);
  assert.deepEqual(parseLines(kind.stdout), all.filter(isWanted));

  const ofRequest = await runCli("replay", "--journal", journal, "--request-id", "3", "--stdout");
  const ids = parseLines(ofRequest.stdout).map(({ partitionkey }) => partitionkey.split(":")[1]);
  assert.ok(ids.length > 0);
  assert.deepEqual(new Set(ids), new Set(["3"]));

  const middle = all[30]!.time;
  const until30 = await runCli("replay", file, "--to", middle, "--stdout");
  const from30 = await runCli("replay", file, "--from", middle, "--stdout");
  assert.deepEqual([...parseLines(until30.stdout), ...parseLines(from30.stdout)], all);
});

test("a dry run prints the plan and sends nothing", async (context) => {
  const { journal } = await prepare(temporaryDirectory(context));
  const { exitCode, stdout, stderr } = await runCli("replay", "-j", journal, "--dry-run");
  assert.equal(exitCode, 0);
  assert.equal(stdout, "");
  assert.match(stderr, /events {2}\d+, 1 ca\.started, .*certificate\.issued/);
});

test("check shows what passes, and ends with the code of what does not", async (context) => {
  const directory = temporaryDirectory(context);
  const nobody = { name: "nobody", url: "amqp://127.0.0.1:1", connectTimeoutMs: 2000 };
  const { config } = await prepare(directory, { sinks: [nobody] });
  const offline = await runCli("check", "--config", config, "--offline");
  assert.equal(offline.exitCode, 0, offline.stdout);
  const online = await runCli("check", "--config", config, "--json");
  assert.equal(online.exitCode, 69);
  const results = JSON.parse(online.stdout) as { subject: string; error?: { code: string } }[];
  assert.deepEqual(
    results.map(({ subject, error }) => `${subject}: ${error?.code ?? "ok"}`),
    [
      "configuration: ok",
      "journal: ok",
      "state: ok",
      "sink files: ok",
      "sink nobody: CERTWIRE_SINK_UNREACHABLE",
    ],
  );
});

test("demo shows each event as a plain line if its output is not a terminal, and ends by itself", async (context) => {
  const directory = temporaryDirectory(context);
  const { exitCode, stdout, stderr } = await runCli("demo", "-d", directory, "-r", "0", "-n", "50");
  assert.equal(exitCode, 0, stderr);
  // oxlint-disable-next-line no-control-regex -- that there is none is the point
  assert.doesNotMatch(stdout, /[\u0000-\u0009\u000b-\u001f]/);
  const published = publishedIn(join(directory, "events"));
  for (const { time } of published) assert.ok(stdout.includes(time.slice(11, 23)));
  assert.match(stdout, /CorpWorkstation/);
  assert.match(stdout, /52 recorded.*\n.*published, backlog 0, 0 failures\n$/);
  assert.match(stderr, /file sink files: .*events/);
});

test("demo leaves the journal of its configuration alone and publishes to its sinks", async (context) => {
  const directory = temporaryDirectory(context);
  const { config, events, journal } = await prepare(directory);
  mkdirSync(join(directory, "demo"));
  const segments = readdirSync(journal);
  const words = ["demo", "--config", config, "-d", join(directory, "demo"), "-r", "0", "-n", "20"];
  const { exitCode, stderr } = await runCli(...words);
  assert.equal(exitCode, 0, stderr);
  assert.deepEqual(readdirSync(journal), segments);
  assert.ok(publishedIn(events).length >= 22);
});

test("a second demo in a directory ends with 75 and disturbs nothing of the first", async (context) => {
  const directory = temporaryDirectory(context);
  const first = startCli(["demo", "-d", directory, "-r", "20"]);
  context.after(() => first.child.kill("SIGKILL"));
  await untilPublished(join(directory, "events"), "ca.started");
  const second = await runCli("demo", "-d", directory, "-r", "0", "-n", "50");
  assert.equal(second.exitCode, 75);
  assert.equal(second.stdout, "");
  assert.match(second.stderr, /CERTWIRE_DIRECTORY_IN_USE: process \d+ on/);
  first.child.kill("SIGINT");
  const { exitCode, stderr } = await first.ended;
  assert.equal(exitCode, 0, stderr);
  const recorded = Number(/(\d+) events recorded/.exec(stderr)?.[1]);
  const published = publishedIn(join(directory, "events"));
  assert.equal(new Set(published.map(({ id }) => id)).size, published.length);
  assert.equal(new Set(published.map(({ sequence }) => sequence)).size, recorded);
});

test("a demo whose service cannot start ends with its error, and its CA does not start either", async (context) => {
  const directory = temporaryDirectory(context);
  const checkpoint = join(directory, "state", "checkpoints", "files");
  mkdirSync(checkpoint, { recursive: true });
  const words = ["demo", "-d", directory, "-r", "0", "-n", "20"];
  const { exitCode, stdout, stderr } = await runCli(...words);
  assert.equal(exitCode, 74, stderr);
  assert.match(stderr, /CERTWIRE_CHECKPOINT_FAILED/);
  assert.equal(stdout, "");
  assert.deepEqual(readdirSync(join(directory, "journal")), []);
  rmdirSync(checkpoint);
  const again = await runCli(...words);
  assert.equal(again.exitCode, 0, again.stderr);
});
