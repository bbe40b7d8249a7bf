import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { until } from "./until.ts";

/** The compiled command line. */
export const cliMain = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));

/** What a command has output. */
export interface CliResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that is running. */
export interface RunningCli {
  readonly child: ChildProcess;
  readonly ended: Promise<CliResult>;
  /** What it has written to standard error so far. */
  stderr(): string;
  /** Resolves when it has written this to standard error; rejects when it ends before. */
  logged(text: string): Promise<boolean>;
}

/** Starts the compiled command line as a process of its own; `output` is its standard output, by default a pipe. */
export function startCli(
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  output: "pipe" | number = "pipe",
): RunningCli {
  const child = spawn(process.execPath, [cliMain, ...words], {
    env: { ...process.env, ...environment },
    stdio: ["pipe", output, "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  let isClosed = false;
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = once(child, "close").then(([exitCode]) => {
    isClosed = true;
    return { exitCode: exitCode as number | null, stdout, stderr };
  });
  const assertRunning = (): void => {
    // Before that some of its last output may still be in the pipe.
    if (!isClosed) return;
    throw new Error(`${words[0]} ended with ${child.signalCode ?? child.exitCode}: ${stderr}`);
  };
  const logged = (text: string): Promise<boolean> =>
    until(() => stderr.includes(text), `${words[0]} logs "${text}"`, { giveUp: assertRunning });
  return { child, ended, stderr: () => stderr, logged };
}

/** Runs the compiled command line to its end. */
export async function runCli(...words: readonly string[]): Promise<CliResult> {
  return startCli(words).ended;
}

/** A directory that is gone after the test. */
export function temporaryDirectory(context: Pick<TestContext, "after">): string {
  const directory = mkdtempSync(join(tmpdir(), "certwire-cli-"));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
