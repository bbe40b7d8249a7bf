import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Command } from "commander";
import { createProgram } from "../../src/cli/program.ts";
import { cliMain, startCli, temporaryDirectory } from "../support/run-cli.ts";
import { sampleEvent } from "../support/sample-events.ts";
import { settled } from "../support/until.ts";

const journal = "test/fixtures/journal/clean";
const ending: (() => void)[] = [];
const directory = temporaryDirectory({ after: (end) => void ending.push(end as () => void) });
const file = (name: string): string => join(directory, name);
after(() => ending.forEach((end) => end()));

before(() => {
  writeFileSync(file("events.ndjson"), `${JSON.stringify(sampleEvent(1))}\n`);
  const sinks = [{ name: "out", url: "stdout:" }];
  const config = { journal: { directory: join(process.cwd(), journal) }, state: { directory } };
  writeFileSync(file("certwire.json"), JSON.stringify({ ...config, sinks }));
  mkdirSync(file("dead-letters"));
  const time = "2026-01-31T12:00:00.000Z";
  const letter = { time, sink: "out", reason: "rejected", message: "no", event: sampleEvent(1) };
  writeFileSync(file("dead-letters/out.ndjson"), `${JSON.stringify(letter)}\n`);
});

/** For each command the words with which it writes to standard output; `help` where it writes nothing else. */
const commands: Readonly<Record<string, readonly string[] | "help" | "service">> = {
  setup: ["--config", file("new.jsonc"), "--kafka", "kafka://host/topic", "--dry-run"],
  run: "service",
  check: ["--config", file("certwire.json"), "--offline"],
  replay: [file("events.ndjson"), "--stdout"],
  "dead-letters list": ["--config", file("certwire.json")],
  "dead-letters show": [sampleEvent(1).id, "--config", file("certwire.json")],
  "dead-letters redrive": ["--config", file("certwire.json")],
  "journal status": ["--journal", journal],
  "journal check": ["--journal", journal],
  "journal cat": ["--journal", journal],
  "journal export": [file("export.ndjson"), "--journal", journal, "--json"],
  verify: [file("events.ndjson")],
  status: ["--config", file("certwire.json")],
  // Its screen needs a terminal.
  top: "help",
  doctor: ["--config", file("certwire.json"), "--offline"],
  // On Windows only.
  reconcile: "help",
  backfill: "help",
  "ca status": "help",
  "ca enable": "help",
  "ca disable": "help",
  tap: ["--journal", journal],
  explain: [],
  completion: ["bash"],
  simulate: "help",
  demo: ["--directory", file("demo"), "--count", "3", "--rate", "0"],
};

function namesOf(command: Command, prefix = ""): string[] {
  return command.commands.flatMap((each) => {
    const name = `${prefix}${each.name()}`;
    return each.commands.length > 0 ? namesOf(each, `${name} `) : [name];
  });
}

test("every command of the program is in the table of this test", () => {
  assert.deepEqual(namesOf(createProgram()).toSorted(), Object.keys(commands).toSorted());
});

/** Runs a command whose standard output is on a device that is always full. */
async function runOnFullDisk(words: readonly string[]) {
  const full = openSync("/dev/full", "w");
  const child = spawn(process.execPath, [cliMain, ...words], { stdio: ["ignore", full, "pipe"] });
  closeSync(full);
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const [exitCode] = await settled(once(child, "close"), "the command has ended");
  return { exitCode: exitCode as number | null, stderr };
}

const calls = Object.entries(commands).flatMap(([name, words]) => {
  const help = [...name.split(" "), "--help"];
  return typeof words === "string" ? [help] : [help, [...name.split(" "), ...words]];
});
for (const words of [["--help"], ["--version"], ...calls]) {
  test(`a full disk is a failure with code 74: ${words.slice(0, 3).join(" ")}`, async () => {
    const { exitCode, stderr } = await runOnFullDisk(words);
    assert.equal(exitCode, 74, stderr);
    assert.match(stderr, /CERTWIRE_OUTPUT_FAILED: cannot write to standard output: ENOSPC/);
    assert.equal(stderr.match(/CERTWIRE_OUTPUT_FAILED/g)?.length, 1, stderr);
  });
}

test("the service retries on a full disk with an alarm, and ends with 74 if it is still full", async () => {
  const full = openSync("/dev/full", "w");
  const service = startCli(["run", "--config", file("certwire.json")], {}, full);
  closeSync(full);
  await service.logged("ENOSPC");
  service.child.kill("SIGTERM");
  const { exitCode, stderr } = await settled(service.ended, "the service has ended");
  assert.equal(exitCode, 74, stderr);
});

test("a reader that has seen enough is not a failure, and an unreadable standard error neither", async () => {
  const reader = startCli(["replay", file("events.ndjson"), "--stdout"]);
  reader.child.stdout?.destroy();
  assert.equal((await settled(reader.ended, "the command has ended")).exitCode, 0);
  const full = openSync("/dev/full", "w");
  const stdio = ["ignore", "ignore", full] as const;
  const child = spawn(process.execPath, [cliMain, "journal", "status", "--journal", journal], {
    stdio: [...stdio],
  });
  closeSync(full);
  const [exitCode] = await settled(once(child, "close"), "the command has ended");
  assert.equal(exitCode, 0);
});
