import type { TestContext } from "node:test";
import { startCli } from "./run-cli.ts";
import { until } from "./until.ts";

/** A `certwire tap` that is running. */
export interface RunningTap {
  /** The lines that it has written to standard output so far. */
  lines(): string[];
  /** Resolves when it has written this many lines or more. */
  shows(count: number): Promise<void>;
  /** Resolves when it has said that it follows its source. */
  isFollowing(): Promise<void>;
  /** Resolves when it has written this to standard error. */
  logs(text: RegExp): Promise<void>;
  /** Closes the reading end of its standard output. */
  closeOutput(): void;
  ended(): Promise<{ exitCode: number | null; stderr: string }>;
  /** Stops it with SIGTERM. */
  stop(): Promise<{ exitCode: number | null; stderr: string }>;
}

/** Starts `certwire tap`; killed after the test if it still runs. */
export function startTap(t: TestContext, words: readonly string[]): RunningTap {
  const cli = startCli(["tap", ...words]);
  const { child } = cli;
  let text = "";
  child.stdout?.on("data", (part: string) => (text += part));
  t.after(() => child.kill("SIGKILL"));
  const lines = (): string[] => text.split("\n").slice(0, -1);
  const ended = async () => {
    const { exitCode, stderr } = await cli.ended;
    return { exitCode, stderr };
  };
  const giveUp = (): void => {
    if (child.exitCode !== null) throw new Error(`tap has ended: ${cli.stderr()}`);
  };
  return {
    lines,
    shows: async (count) => {
      const options = { giveUp, state: () => `${lines().length} lines, ${cli.stderr()}` };
      await until(() => lines().length >= count, `tap shows ${count} lines`, options);
    },
    isFollowing: async () => void (await cli.logged("Ctrl-C ends it")),
    logs: async (pattern) => {
      await until(() => pattern.test(cli.stderr()), `tap logs ${pattern}`, { giveUp });
    },
    closeOutput: () => void child.stdout?.destroy(),
    ended,
    stop: () => {
      child.kill("SIGTERM");
      return ended();
    },
  };
}
