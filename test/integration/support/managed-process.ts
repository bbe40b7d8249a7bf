import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** A program to run, and where its output goes. */
export interface ProcessOptions {
  /** Name in messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Whole environment of the process; default that of this process. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** File that standard output and error are appended to. */
  readonly logFile: string;
}

const running = new Set<ManagedProcess>();

// Temporary directories are removed at "exit" too, hence the earlier place.
process.prependListener("exit", () => {
  for (const child of running) child.signal("SIGKILL");
});

/**
 * A child process that never outlives this one: the kernel kills it when this process dies, in
 * whatever way. The program must not fork itself into the background.
 */
export class ManagedProcess {
  readonly #options: ProcessOptions;
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();

  constructor(options: ProcessOptions) {
    this.#options = options;
  }

  /** Process id of the program itself, while it runs. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts the program, for the first time or again. */
  start(): void {
    if (this.#child !== undefined) throw new Error(`${this.#options.name} is running already`);
    const { command, args, env, cwd, logFile } = this.#options;
    const log = openSync(logFile, "a");
    // setpriv executes the program in its own place, so that the process id is the program's.
    const child = spawn("setpriv", ["--pdeathsig", "KILL", "--", command, ...args], {
      stdio: ["ignore", log, log],
      env: env ?? process.env,
      ...(cwd !== undefined && { cwd }),
    });
    closeSync(log);
    this.#child = child;
    running.add(this);
    this.#exited = new Promise((resolve) => {
      const ended = (): void => {
        this.#child = undefined;
        running.delete(this);
        resolve();
      };
      child.once("exit", ended);
      child.once("error", ended);
    });
  }

  /** Sends a signal; does nothing when the program does not run. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Ends the program with SIGKILL and waits for its end. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.#exited;
  }

  /** Ends the program with SIGTERM, and after the time limit with SIGKILL. */
  async terminate(timeoutMs = 30_000): Promise<void> {
    this.signal("SIGCONT");
    this.signal("SIGTERM");
    const timer = new AbortController();
    await Promise.race([this.#exited, sleep(timeoutMs, undefined, { signal: timer.signal })]);
    timer.abort();
    await this.kill();
  }

  /** Throws with the end of the log when the program does not run. */
  assertRunning(): void {
    if (this.#child !== undefined) return;
    const tail = readFileSync(this.#options.logFile, "utf8").trimEnd().split("\n").slice(-20);
    throw new Error(`${this.#options.name} has ended:\n${tail.join("\n")}`);
  }
}
