import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, type TestContext, test } from "node:test";
import { eventKinds } from "../../src/events/event.ts";
import { runCli, temporaryDirectory } from "../support/run-cli.ts";

const scripts = new Map<string, string>();
before(async () => {
  for (const shell of ["bash", "zsh", "powershell"]) {
    const { exitCode, stdout, stderr } = await runCli("completion", shell);
    assert.deepEqual([exitCode, stderr], [0, ""]);
    scripts.set(shell, stdout);
  }
});

/** What bash offers for the last of the words, in a directory with a file and a folder. */
function inBash(directory: string, words: readonly string[]): string[] {
  const program = `${scripts.get("bash")}
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_certwire
printf '%s\\n' "\${COMPREPLY[@]}"`;
  return run("bash", ["--norc", "-c", program, "bash", "certwire", ...words], directory);
}

/** The same of zsh, whose own functions print what they are given. */
function inZsh(directory: string, words: readonly string[]): string[] {
  const program = `compdef() { : }
_files() { [[ $1 == -/ ]] && print -l *(/N) || print -l *(N) }
compadd() { shift; for each in "$@"; do [[ $each == "$current"* ]] && print -r -- $each; done; : }
_describe() { for each in $choices; do [[ $each == "$current"* ]] && print -r -- \${each%%:*}; done; : }
${scripts.get("zsh")}
words=("$@")
CURRENT=$#
_certwire`;
  return run("zsh", ["-f", "-c", program, "zsh", "certwire", ...words], directory);
}

function run(shell: string, words: readonly string[], cwd: string): string[] {
  const text = execFileSync(shell, words, { cwd, encoding: "utf8" });
  return text
    .split("\n")
    .filter((line) => line !== "")
    .toSorted();
}

function prepare(t: TestContext): string {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, "certwire.jsonc"), "");
  mkdirSync(join(directory, "journal"));
  return directory;
}

const files = ["certwire.jsonc", "journal"];
const cases: readonly (readonly [about: string, words: string[], offered: readonly string[]])[] = [
  ["commands", ["re"], ["reconcile", "replay"]],
  ["commands of a group", ["dead-letters", ""], ["list", "redrive", "show"]],
  ["options of the program", ["--v"], ["--version"]],
  [
    "options of a command",
    ["verify", "--p"],
    ["--password-environment", "--password-file", "--private-key-file"],
  ],
  ["options of a command of a group", ["journal", "export", "--req"], ["--request-id"]],
  ["files after an option that takes one", ["run", "--config", ""], files],
  ["files after its short form", ["run", "-c", ""], files],
  ["directories after an option that takes one", ["tap", "--journal", ""], ["journal"]],
  [
    "kinds of events",
    ["replay", "--kind", "certificate."],
    eventKinds.filter((kind) => kind.startsWith("certificate.")).toSorted(),
  ],
  [
    "the choices of an option",
    ["tap", "--mechanism", ""],
    ["aws-msk-iam", "oauthbearer", "plain", "scram-sha-256", "scram-sha-512"],
  ],
  ["the choices of an argument", ["completion", "b"], ["bash"]],
  ["nothing after an option that takes a text", ["run", "--nonsense"], []],
  ["nothing where only the user knows", ["tap", "--where", ""], []],
  ["files as arguments", ["verify", ""], files],
  ["options although a path stands before", ["verify", "journal", "--js"], ["--json"]],
];
for (const [about, words, offered] of cases) {
  test(`bash and zsh offer ${about}`, (t) => {
    const directory = prepare(t);
    assert.deepEqual(inBash(directory, words), offered, "bash");
    assert.deepEqual(inZsh(directory, words), offered, "zsh");
  });
}

test("a description with a quote breaks no script", () => {
  for (const shell of ["bash", "zsh"]) {
    execFileSync(shell, ["-n"], { input: scripts.get(shell) ?? "" });
  }
  // In PowerShell every quote within a text is doubled, so the number of all is even in each line.
  for (const line of (scripts.get("powershell") ?? "").split("\n").slice(1)) {
    assert.equal((line.match(/['‘’‚‛]/g) ?? []).length % 2, 0, line);
  }
});
