import { spawn } from "node:child_process";
import { patienceMs } from "../../support/until.ts";

/** Input, environment and place of `runCommand`. */
export interface CommandOptions {
  /** Standard input; default none. */
  readonly input?: string | Buffer;
  /** Whole environment; default that of this process. */
  readonly env?: NodeJS.ProcessEnv;
  /** Working directory; default that of this process. */
  readonly directory?: string;
  /** Default `patienceMs`. */
  readonly timeoutMs?: number;
}

/** A program ended with something else than 0. */
export class CommandError extends Error {
  /** Undefined when a signal ended the program. */
  readonly exitCode: number | undefined;

  constructor(message: string, exitCode: number | undefined) {
    super(message);
    this.name = "CommandError";
    this.exitCode = exitCode;
  }
}

/** Runs a program to its end and returns its standard output; rejects with CommandError. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<Buffer> {
  const timeout = options.timeoutMs ?? patienceMs;
  const { env = process.env, directory: cwd } = options;
  const child = spawn(command, args, { env, cwd, timeout });
  const output: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
  child.stdin.on("error", () => undefined); // The program may end before it has read everything.
  child.stdin.end(options.input ?? "");
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>(
    (resolve, reject) => {
      child.once("error", reject);
      child.once("close", (exitCode, exitSignal) => {
        resolve([exitCode, exitSignal]);
      });
    },
  );
  if (code !== 0) {
    const text = Buffer.concat([...errors, ...output])
      .toString()
      .trim();
    throw new CommandError(`${command} ended with ${signal ?? code}: ${text}`, code ?? undefined);
  }
  return Buffer.concat(output);
}
