import type { ChildProcess } from "node:child_process";
import { closeSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { repoRoot } from "../../integration/support/repo-root.ts";
import { runCommand } from "../../integration/support/run-command.ts";
import { startWine, windowsPath } from "./wine.ts";

/** Options of a service that runs in Wine. */
export interface WindowsServiceOptions {
  /** Where its configuration, state and log go. */
  readonly directory: string;
  readonly journalDirectory: string;
  /** The `sinks` member of the configuration. */
  readonly sinks: readonly Readonly<Record<string, unknown>>[];
  /** Line of Node; default 20. */
  readonly nodeVersion?: 20 | 22;
}

/** The service of this build, run by node.exe for Windows with the addon for Windows. */
export class WindowsService {
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | null>;
  /** Holds configuration, state, and the log `service.log`. */
  readonly directory: string;

  private constructor(child: ChildProcess, directory: string) {
    this.#child = child;
    this.directory = directory;
    const log = openSync(join(directory, "service.log"), "a");
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => writeSync(log, chunk));
    }
    this.#exited = new Promise((resolve) => {
      child.once("close", (code) => {
        closeSync(log);
        resolve(code);
      });
    });
    process.once("exit", () => child.kill("SIGKILL"));
  }

  /** Starts the service; it is up when its log says `started`. */
  static async start(options: WindowsServiceOptions): Promise<WindowsService> {
    const fetchNode = join(repoRoot, "scripts", "fetch-node-windows.sh");
    const node = await runCommand("bash", [fetchNode, `${options.nodeVersion ?? 20}`], {
      timeoutMs: 300_000,
    });
    const configFile = join(options.directory, "certwire.json");
    const config = {
      journal: { directory: windowsPath(options.journalDirectory) },
      state: { directory: windowsPath(join(options.directory, "state")) },
      sinks: options.sinks,
    };
    writeFileSync(configFile, JSON.stringify(config));
    // The compiled sources lie beside the compiled tests.
    const main = join(import.meta.dirname, "..", "..", "..", "src", "cli", "main.js");
    const args = [windowsPath(main), "run", "--config", windowsPath(configFile)];
    const child = startWine(node.toString().trim(), [...args, "--stop-on-stdin-end"]);
    return new WindowsService(child, options.directory);
  }

  /** Closes standard input, as a service host does, and waits for the end; its exit code. */
  async stop(): Promise<number | null> {
    this.#child.stdin?.end();
    return this.#exited;
  }

  /** Ends it in mid-work. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }
}
