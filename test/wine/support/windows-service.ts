import type { ChildProcess } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nodeForWindows, startWine, windowsPath } from "./wine.ts";

/** Options of a service that runs in Wine. */
export interface WindowsServiceOptions {
  /** Where its configuration, state and log go. */
  readonly directory: string;
  readonly journalDirectory: string;
  /** Further members of the configuration's `journal`. */
  readonly journal?: Readonly<Record<string, unknown>>;
  /** The `sinks` member of the configuration. */
  readonly sinks: readonly Readonly<Record<string, unknown>>[];
  /** Whole requests are published, without their passwords; default false. */
  readonly includeRawRequest?: boolean;
}

/** The service ends when this file appears. */
function stopFile({ directory }: { readonly directory: string }): string {
  return join(directory, "stop");
}

/** The service of this build, run by node.exe for Windows with the addon for Windows. */
export class WindowsService {
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | null>;
  /** Holds configuration, state, the log `service.log` and the standard output `service.out`. */
  readonly directory: string;

  private constructor(child: ChildProcess, directory: string) {
    this.#child = child;
    this.directory = directory;
    this.#exited = new Promise((resolve) => {
      child.once("close", resolve);
    });
    process.once("exit", () => this.#signal());
  }

  /** Starts the service and does not wait until it is up. */
  static async start(options: WindowsServiceOptions): Promise<WindowsService> {
    const configFile = join(options.directory, "certwire.json");
    const config = {
      journal: { directory: windowsPath(options.journalDirectory), ...options.journal },
      state: { directory: windowsPath(join(options.directory, "state")) },
      events: { includeRawRequest: options.includeRawRequest ?? false },
      sinks: options.sinks,
    };
    writeFileSync(configFile, JSON.stringify(config));
    // The compiled sources lie beside the compiled tests.
    const main = join(import.meta.dirname, "..", "..", "..", "src", "cli", "main.js");
    const host = join(import.meta.dirname, "service-host.js");
    const outputs = ["service.log", "service.out"].map((name) => join(options.directory, name));
    const paths = [host, ...outputs, stopFile(options), main];
    const command = ["run", "--config", windowsPath(configFile), "--stop-on-stdin-end"];
    const child = startWine(
      await nodeForWindows(),
      [...paths.map(windowsPath), ...command],
      join(options.directory, "host.log"),
    );
    return new WindowsService(child, options.directory);
  }

  /** Has standard input closed, as a service host does, and waits for the end; its exit code. */
  async stop(): Promise<number | null> {
    writeFileSync(stopFile(this), "");
    return this.#exited;
  }

  /** Waits until it ends by itself; its exit code. */
  ended(): Promise<number | null> {
    return this.#exited;
  }

  /** Fails, with its newest log lines, when it has ended by itself. */
  assertRunning(): void {
    const { exitCode, signalCode } = this.#child;
    if (exitCode === null && signalCode === null) return;
    const lines = this.newestLogLines().join("\n");
    throw new Error(`the service ended with ${signalCode ?? exitCode}; its last lines:\n${lines}`);
  }

  /** Up to 20 lines of its log and of its host's, the newest last, for the error of a test. */
  newestLogLines(): string[] {
    return ["service.log", "host.log"].flatMap((name) => {
      const path = join(this.directory, name);
      if (!existsSync(path)) return [];
      return readFileSync(path, "utf8").split("\n").filter(Boolean).slice(-20);
    });
  }

  /** Ends it in mid-work. */
  async kill(): Promise<void> {
    this.#signal();
    await this.#exited;
  }

  /** Kills the whole group: the host and the service. */
  #signal(): void {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid !== undefined && exitCode === null && signalCode === null)
      process.kill(-pid, "SIGKILL");
  }
}
