import assert from "node:assert/strict";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { findStatus } from "../../src/cli/find-status.ts";
import { statusScreen } from "../../src/cli/status-screen.ts";
import { parseConfig } from "../../src/config/load.ts";
import { exitEvents } from "../../src/exit/ca-codes.ts";
import { type Status, statusJsonSchema } from "../../src/health/status.ts";
import { configBeside } from "../support/config-beside.ts";
import { runCli, startCli } from "../support/run-cli.ts";
import { sampleObservation } from "../support/sample-observation.ts";
import {
  flushed,
  journalDirectory,
  openSmall,
  record,
  smallEvent,
} from "../support/small-journal.ts";
import { until } from "../support/until.ts";

const isStatus = formats.default(new Ajv2020()).compile(statusJsonSchema());

async function work(journal: string, first: number, last: number): Promise<void> {
  const simulator = openSmall(journal);
  record(simulator, first, last);
  simulator.notify({ ...smallEvent(0), event: exitEvents.shutdown });
  await flushed(simulator);
  simulator.shutdown();
  simulator.close();
}

async function statusOf(config: string): Promise<{ exitCode: number | null; found: Status }> {
  const { exitCode, stdout, stderr } = await runCli("status", "--config", config, "--json");
  assert.equal(stderr, "");
  const found = JSON.parse(stdout) as Status;
  assert.ok(isStatus(found), JSON.stringify(isStatus.errors));
  return { exitCode, found };
}

function codesOf({ reasons }: Status): string[] {
  return reasons.map(({ code }) => code);
}

/** Names, sizes and times of everything below a directory. */
function traces(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" }).map((name) => {
    const { size, mtimeMs, ctimeMs } = lstatSync(join(directory, name));
    return `${name} ${size} ${mtimeMs} ${ctimeMs}`;
  });
}

/** Starts the service and waits until it has published this many events. */
async function publishAll(t: TestContext, config: string, events: number) {
  const service = startCli(["run", "--config", config]);
  t.after(() => service.child.kill("SIGKILL"));
  const directory = join(dirname(config), "events");
  const published = (): number =>
    existsSync(directory)
      ? readdirSync(directory)
          .filter((name) => name.endsWith(".ndjson"))
          .reduce(
            (sum, name) => sum + readFileSync(join(directory, name), "utf8").split("\n").length - 1,
            0,
          )
      : 0;
  await until(() => published() >= events, `${events} events are published`);
  return service;
}

test("a running service whose CA works is ok: exit code 0, nothing waits", async (t) => {
  const journal = journalDirectory(t);
  const simulator = openSmall(journal);
  t.after(() => simulator.close());
  record(simulator, 1, 20);
  await flushed(simulator);
  const config = configBeside(journal);
  await publishAll(t, config, 20);
  const { exitCode, found } = await until(async () => {
    const answer = await statusOf(config); // until the checkpoint is saved
    return answer.found.sinks[0]?.backlog?.records === 0 && answer;
  }, "the checkpoint is saved");
  assert.deepEqual([exitCode, found.state, found.reasons], [0, "ok", []]);
  assert.equal(found.service.state, "running");
  assert.equal(found.journal?.writer, "running");
  assert.equal(found.journal.writerBeat?.condition, "ok");
  assert.ok((found.journal.durations?.append.count ?? 0) > 0);
  assert.equal(found.sinks[0]?.checkpoint?.state, "found");
  const { stdout } = await runCli("status", "--config", config);
  assert.match(stdout, /^ok {2}service running for [^,]+, process \d+ on /);
  assert.match(stdout, /\nfiles +file, nothing waits, saved /);
});

test("without a service the status is failing: exit code 11, and what waits is shown", async (t) => {
  const journal = journalDirectory(t);
  const config = configBeside(journal);
  await work(journal, 1, 20);
  const service = await publishAll(t, config, 21);
  service.child.kill("SIGTERM");
  assert.equal((await service.ended).exitCode, 0);
  await work(journal, 21, 25);
  const { exitCode, found } = await statusOf(config);
  assert.equal(exitCode, 11);
  assert.deepEqual(codesOf(found), ["service-stopped"]);
  assert.equal(found.service.state, "stopped");
  // A stopped CA, whose start and stop are records too, is not a reason.
  assert.notEqual(found.journal?.writer, "running");
  assert.ok((found.sinks[0]?.backlog?.bytes ?? 0) > 0);
  assert.ok(found.sinks[0]?.backlog?.oldestTime);
});

test("a CA that was killed is a reason, one that is stopped is none", async (t) => {
  const journal = journalDirectory(t);
  const config = configBeside(journal);
  const simulator = openSmall(journal);
  record(simulator, 1, 5);
  await flushed(simulator);
  simulator.close();
  const { found } = await statusOf(config);
  // In a container the kernel does not show whether somebody else holds the writer's lock.
  const isKnown =
    process.platform === "win32" || readlinkSync("/proc/self/ns/pid") === "pid:[4026531836]";
  assert.deepEqual(codesOf(found), ["service-stopped", ...(isKnown ? ["writer-gone"] : [])]);
});

test("the limits of the configuration apply", async (t) => {
  const journal = journalDirectory(t);
  const config = configBeside(journal, { health: { backlogSeconds: 1 } });
  await work(journal, 1, 5);
  const found = await until(async () => {
    const answer = await statusOf(config);
    return codesOf(answer.found).includes("sink-behind") && answer.found;
  }, "the backlog is older than a second");
  assert.equal(found.reasons.find(({ code }) => code === "sink-behind")?.sink, "files");
});

test("what fails inside a running service is a reason without an endpoint too, and no longer once it has gone", async (t) => {
  const journal = journalDirectory(t);
  const sinks = [{ name: "kafka", url: "kafka://127.0.0.1:1/events" }];
  const config = configBeside(journal, { sinks });
  await work(journal, 1, 5);
  const service = startCli(["run", "--config", config]);
  t.after(() => service.child.kill("SIGKILL"));
  const found = await until(async () => {
    const answer = await statusOf(config);
    return codesOf(answer.found).includes("sink-unreachable") && answer.found;
  }, "the unreachable broker is a reason");
  assert.equal(found.service.pid, service.child.pid);
  service.child.kill("SIGKILL");
  await service.ended;
  const later = await statusOf(config);
  assert.deepEqual(codesOf(later.found), ["service-stopped"]);
});

test("a service that hangs is a reason, and does not make the status better", async (t) => {
  const journal = journalDirectory(t);
  const config = configBeside(journal);
  await work(journal, 1, 5);
  const service = await publishAll(t, config, 6);
  service.child.kill("SIGSTOP");
  const state = join(dirname(journal), "state");
  const lock = readFileSync(join(state, "state.lock"), "utf8");
  // As if it had started two minutes ago and stopped writing a minute ago.
  const { startedAt } = JSON.parse(lock.trim()) as { startedAt: string };
  const longAgo = new Date(Date.parse(startedAt) - 120_000);
  writeFileSync(join(state, "state.lock"), lock.replace(startedAt, longAgo.toISOString()));
  const path = join(state, "status.json");
  writeFileSync(path, "{}");
  utimesSync(path, longAgo, longAgo);
  const { exitCode, found } = await statusOf(config);
  assert.equal(exitCode, 11);
  assert.deepEqual(codesOf(found), ["service-silent"]);
});

test("a status file of another process, of another form or of long ago is left out", async (t) => {
  const journal = journalDirectory(t);
  const config = configBeside(journal);
  await work(journal, 1, 5);
  await publishAll(t, config, 6);
  const path = join(dirname(journal), "state", "status.json");
  const own = await until(
    () => existsSync(path) && (JSON.parse(readFileSync(path, "utf8")) as Status),
    "the service has written its status",
  );
  const parsed = parseConfig(config, readFileSync(config, "utf8"));
  const sourceOf = async (text: string): Promise<string> => {
    writeFileSync(path, text);
    return (await findStatus(parsed)).source;
  };
  const pid = (own.service.pid ?? 0) + 1;
  const long = new Date(Date.parse(own.time) - 3_600_000).toISOString();
  for (const other of [
    JSON.stringify({ ...own, service: { ...own.service, pid } }),
    JSON.stringify({ ...own, time: long }),
    JSON.stringify({ ...own, more: 1 }),
    "{",
  ]) {
    // The service may write its own at any moment.
    const asked = await until(async () => {
      const source = await sourceOf(other);
      return readFileSync(path, "utf8") === other && source;
    }, "the file was not replaced meanwhile");
    assert.equal(asked, "from journal and state");
  }
  const now = JSON.stringify({ ...own, time: new Date().toISOString() });
  assert.equal(await sourceOf(now), "from the service's status.json");
});

test("nothing is written, created or locked", async (t) => {
  const journal = journalDirectory(t);
  const config = configBeside(journal);
  await work(journal, 1, 20);
  const service = await publishAll(t, config, 21);
  service.child.kill("SIGTERM");
  await service.ended;
  const before = traces(dirname(journal));
  await statusOf(config);
  await runCli("status", "--config", config);
  assert.deepEqual(traces(dirname(journal)), before);
});

test("without journal and state it says so: exit code 11", async (t) => {
  const journal = join(journalDirectory(t), "none");
  const config = configBeside(journal);
  const { exitCode, found } = await statusOf(config);
  assert.equal(exitCode, 11);
  assert.deepEqual(codesOf(found), ["service-stopped", "journal-unreadable"]);
  assert.equal(existsSync(journal), false);
});

test("a damaged checkpoint and dead letters are seen on disk", async (t) => {
  const journal = journalDirectory(t);
  const config = configBeside(journal);
  await work(journal, 1, 2);
  const state = join(dirname(journal), "state");
  for (const [name, text] of [
    ["checkpoints/files", "no checkpoint"],
    ["dead-letters/files.ndjson", "{}\n"],
  ] as const) {
    mkdirSync(dirname(join(state, name)), { recursive: true });
    writeFileSync(join(state, name), text);
  }
  const { found } = await statusOf(config);
  assert.deepEqual(codesOf(found), ["service-stopped", "dead-letters", "checkpoint-damaged"]);
  assert.equal(found.sinks[0]?.deadLetters?.bytes, 3);
});

test("names and errors that others wrote change nothing on the terminal, nor its 80 columns", async (t) => {
  const journal = join(journalDirectory(t), "\u202eevil\u2066");
  const { stdout } = await runCli("status", "--config", configBeside(journal));
  assert.match(stdout, /·evil·/);
  assert.match(stdout, /^[\P{C}\n]*$/u);
});

const hostile = "\u001b[2Jbad \u202e name ".repeat(20);
const crowded: Status = {
  state: "failing",
  time: "2026-06-15T12:00:00.000Z",
  service: {
    state: "running",
    version: "1.0.0",
    pid: 4_194_303,
    host: hostile,
    startedTime: "2026-06-15T11:00:00.000Z",
  },
  reasons: Array.from({ length: 9 }, () => ({
    code: "dead-letters-near-limit",
    state: "failing" as const,
    sink: hostile,
    since: "2026-06-15T11:00:00.000Z",
    detail: hostile,
    meaning: "The dead letters of a sink take 80 % of their limit or more.",
    hint: "Run `certwire dead-letters redrive --delete`; at the limit the sink waits.",
    docs: "reference/health.md",
  })),
  journal: {
    directory: hostile,
    epochs: 1000,
    segments: 1000,
    bytes: 2 ** 50,
    capacityBytes: 2 ** 50,
    maxBytes: 2 ** 50,
    minFreeBytes: 2 ** 30,
    freeBytes: 2 ** 50,
    newestSegments: [],
    newest: {
      epochNumber: 2 ** 32,
      epochId: "0",
      sequence: String(2 ** 62),
      time: "2026-06-15T12:10:00.000Z",
    },
    writer: "unknown",
    durations: {
      append: { count: 10 ** 9, p50Us: 10 ** 6, p99Us: 10 ** 6, p999Us: 10 ** 6, maxUs: 10 ** 9 },
      write: { count: 0 },
      flush: { count: 0 },
    },
  },
  sinks: [
    {
      name: "a-sink-with-a-long-name",
      kind: "rabbitmq",
      state: "alarm",
      checkpoint: { state: "damaged", savedTime: "2026-06-15T11:00:00.000Z" },
      backlog: { records: 10 ** 12, bytes: 2 ** 50, oldestTime: "2026-01-01T00:00:00.000Z" },
      deadLetters: { bytes: 2 ** 40, share: 1 },
    },
  ],
};

test("the first line has 80 columns in every state", () => {
  for (const state of ["ok", "degraded", "failing"] as const) {
    for (const service of ["running", "stopped", "unknown"] as const) {
      for (const version of ["1.0.0", "100.200.300-candidate.4"]) {
        const found = {
          ...crowded,
          state,
          service: { ...crowded.service, state: service, version },
        };
        const [line = ""] = statusScreen(found);
        assert.ok(line.length <= 80, line);
        assert.match(line, /, 2026-06-15T12:00:00Z$/);
      }
    }
  }
});

test("one screen of 80 columns, whatever there is to say", () => {
  const lines = statusScreen(crowded);
  assert.deepEqual(
    lines.filter((line) => line.length > 80),
    [],
  );
  for (const line of lines) assert.match(line, /^[\P{C}]*$/u);
  assert.ok(lines.includes("and 5 more: certwire status --json"), lines.join("\n"));
  assert.ok(lines.length <= 48, `${lines.length} lines`);
});

test("the published schema is the one of the code", () => {
  const published = JSON.parse(readFileSync("docs/reference/status.schema.json", "utf8")) as object;
  assert.deepEqual(published, statusJsonSchema());
});

test("the last scheduled comparison is shown with what is open and when the next one begins", () => {
  const { status } = sampleObservation();
  const lines = statusScreen(status).join("\n").replaceAll(/\n +/g, " ");
  assert.ok(
    lines.includes(
      "CA database   compared 5 s ago, 120034 rows, open: 2 missing and 1 state and 3 deleted, 7 more in its file, next in 4 s",
    ),
    lines,
  );
  const shown = (reconcile: NonNullable<Status["reconcile"]>) =>
    statusScreen({ ...status, reconcile }).at(-1);
  const nextTime = status.time;
  assert.equal(shown({ running: false, nextTime }), "CA database   not compared yet, next in 0 s");
  const open = { missing: 0, state: 0, changed: 0, unknown: 0, deleted: 0 };
  const last = { lastTime: status.time, rows: 1, open, unlisted: 0 };
  assert.equal(
    shown({ running: true, ...last }),
    "CA database   compared 0 s ago, 1 row, no open finding, being compared now",
  );
});
