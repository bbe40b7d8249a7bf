import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CommandError } from "../../integration/support/run-command.ts";
import { makeTempDirectory } from "../../integration/support/temp-directory.ts";
import { binaries, runWine, windowsPath } from "./wine.ts";

/** One call of the exit module, as the stand-in saw it. */
export interface CallLine {
  readonly call: "GetDescription" | "GetManageModule" | "Initialize" | "Notify" | "Shutdown";
  readonly hresult: string;
  readonly us: number;
  /** Places in the order of all beginnings and ends. */
  readonly begin: number;
  readonly end: number;
  /** UTC in 100 ns since 1601-01-01, before and after the call. */
  readonly from: string;
  readonly to: string;
  readonly threadId: number;
  readonly text?: string;
  readonly mask?: number;
  readonly pid?: number;
  /** Of a Notify: place of the step in the file, its chain, and the number of the thread. */
  readonly step?: number;
  readonly chain?: string;
  readonly thread?: number;
}

/** What the stand-in reports at its end. */
export interface EndLine {
  readonly call: "end";
  readonly objects: number;
  readonly live: number;
  readonly asked: Readonly<Record<string, number>>;
  readonly violations: readonly string[];
}

/** What the stand-in reports after each round of a run of several. */
export interface RoundLine {
  readonly call: "round";
  readonly round: number;
  /** Longest call of Notify, in µs. */
  readonly longestUs: number;
  /** What the process of the stand-in, with the exit module in it, holds. */
  readonly handles: number;
  readonly privateBytes: number;
}

/** A run of the stand-in. */
export interface StandinRun {
  /** 0: every call returned S_OK; 9: it killed itself as asked. */
  readonly exitCode: number;
  readonly calls: readonly CallLine[];
  /** Undefined when it was killed. */
  readonly end: EndLine | undefined;
  /** Empty without `rounds`. */
  readonly rounds: readonly RoundLine[];
  readonly journalDirectory: string;
}

/** Options of a run. */
export interface StandinOptions {
  /** TerminateProcess after this many calls of Notify returned; default: a normal end. */
  readonly killAfter?: number;
  /** Plays all steps this many times and reports each round instead of each call; default once. */
  readonly rounds?: number;
  /** Default: a new one. */
  readonly journalDirectory?: string;
  /** Default that of `runWine`. */
  readonly timeoutMs?: number;
}

/** Runs a scenario file through the stand-in and the registered exit module. */
export async function runStandin(
  scenarioPath: string,
  options: StandinOptions = {},
): Promise<StandinRun> {
  const directory = makeTempDirectory("standin");
  const journalDirectory = options.journalDirectory ?? join(directory, "journal");
  mkdirSync(journalDirectory, { recursive: true });
  const result = join(directory, "result.ndjson");
  const args = ["--scenario", scenarioPath, "--result", result, "--journal", journalDirectory];
  const paths = args.map((argument) =>
    argument.startsWith("--") ? argument : windowsPath(argument),
  );
  const kill = options.killAfter === undefined ? [] : ["--kill-after", `${options.killAfter}`];
  const rounds = options.rounds === undefined ? [] : ["--rounds", `${options.rounds}`];
  const exitCode = await exitCodeOf(
    runWine(binaries.standin, [...paths, ...kill, ...rounds], options.timeoutMs),
    result,
  );
  const lines = readFileSync(result, "utf8").split("\n").filter(Boolean).map(parseLine);
  return {
    exitCode,
    calls: lines.filter((line) => line.call !== "end" && line.call !== "round"),
    end: lines.find((line) => line.call === "end"),
    rounds: lines.filter((line) => line.call === "round"),
    journalDirectory,
  };
}

function parseLine(line: string): CallLine | EndLine | RoundLine {
  return JSON.parse(line) as CallLine | EndLine | RoundLine;
}

/** The exit code of a stand-in that has run: one that Wine could not start leaves no result. */
async function exitCodeOf(run: Promise<unknown>, result: string): Promise<number> {
  try {
    await run;
    return 0;
  } catch (error) {
    const expected = error instanceof CommandError && [1, 9].includes(error.exitCode ?? 0);
    if (!expected || !existsSync(result)) throw error;
    return error.exitCode ?? 0;
  }
}
