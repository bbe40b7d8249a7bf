import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { defaultConfigFile } from "../../src/cli/default-config.ts";
import { runCli, temporaryDirectory } from "../support/run-cli.ts";

test("help and version go to standard output with exit code 0", async () => {
  const help = await runCli("--help");
  assert.equal(help.exitCode, 0);
  for (const command of ["run", "check", "replay", "verify", "simulate", "demo"]) {
    assert.match(help.stdout, new RegExp(`^ {2}${command} `, "m"));
  }
  const version = await runCli("--version");
  assert.equal(version.exitCode, 0);
  assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
});

const wrongUsages: readonly (readonly [about: string, words: string[], message: RegExp])[] = [
  ["no command", [], /Usage: certwire/],
  ["a misspelt command", ["chekc"], /Did you mean check\?/],
  ["a misspelt option", ["replay", "--stdot"], /Did you mean --stdout\?/],
  ["a missing option", ["simulate"], /required option '-j, --journal <directory>'/],
  ["a rate that is not a number", ["simulate", "-j", "x", "--rate", "fast"], /must be a number/],
  ["a count of nothing", ["simulate", "-j", "x", "--count", "0"], /1 or more/],
  ["a time in words", ["replay", "-j", "x", "--stdout", "--from", "yesterday"], /2026-01-31/],
  ["a misspelt kind", ["replay", "--kind", "crl.isued"], /Did you mean "crl.issued"\?/],
  ["a replay from nowhere", ["replay", "--stdout"], /give a FILE, --journal or --config/],
  ["a replay to nowhere", ["replay", "-j", "x"], /choose --to-sink NAME or --stdout/],
  ["a replay to two places", ["replay", "-j", "x", "--to-sink", "a", "--stdout"], /choose/],
  ["a sink without a configuration", ["replay", "-j", "x", "--to-sink", "a"], /needs --config/],
];

for (const [about, words, message] of wrongUsages) {
  test(`${about} is wrong usage: exit code 2, and what to do on standard error`, async () => {
    const { exitCode, stdout, stderr } = await runCli(...words);
    assert.equal(exitCode, 2);
    assert.equal(stdout, "");
    assert.match(stderr, message);
  });
}

test("commands that need a configuration read that of setup unless another one is named", async (context) => {
  const file = defaultConfigFile();
  // On a machine with Certwire the commands would read what is there.
  if (existsSync(file)) return context.skip(`${file} is there`);
  const commands = ["run", "check", "status", "dead-letters list", "journal check", "tap"];
  for (const command of commands) {
    const { exitCode, stderr } = await runCli(...command.split(" "));
    assert.equal(exitCode, 78, command);
    assert.ok(stderr.includes(`${file} cannot be read: ENOENT`), stderr);
  }
});

test("a bad configuration ends every command with exit code 78 and all its places", async (context) => {
  const file = join(temporaryDirectory(context), "bad.jsonc");
  writeFileSync(file, '{\n  "journal": { "direktory": "j" },\n  "sinks": []\n}\n');
  for (const command of [["run"], ["check"], ["replay", "--stdout"], ["demo"]]) {
    const { exitCode, stderr } = await runCli(...command, "--config", file);
    assert.equal(exitCode, 78, command[0]);
    assert.ok(stderr.includes(`${file}:2:16: journal: unknown key "direktory"`), stderr);
    assert.match(stderr, /hint: Did you mean "directory"\?/);
    assert.match(stderr, /4 problems in/);
  }
});

test("a missing file and a file without events have different exit codes", async (context) => {
  const directory = temporaryDirectory(context);
  const file = join(directory, "events.ndjson");
  writeFileSync(file, "\nnonsense\n");
  const missing = await runCli("replay", join(directory, "none.ndjson"), "--stdout");
  assert.equal(missing.exitCode, 74);
  const bad = await runCli("replay", file, "--stdout");
  assert.equal(bad.exitCode, 65);
  assert.match(bad.stderr, /events\.ndjson:2: not JSON/);
  const noJournal = await runCli("replay", "--journal", join(directory, "none"), "--stdout");
  assert.equal(noJournal.exitCode, 74);
  assert.match(noJournal.stderr, /CERTWIRE_JOURNAL_UNREADABLE/);
});
