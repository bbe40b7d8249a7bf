import { once } from "node:events";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { CommandError } from "../../integration/support/run-command.ts";
import { nodeForWindows, runWine, startWine, windowsPath } from "./wine.ts";

const configuration = String.raw`HKLM\SYSTEM\CurrentControlSet\Services\CertSvc\Configuration`;

/** The compiled sources lie beside the compiled tests. */
const mainProgram = join(import.meta.dirname, "..", "..", "..", "src", "cli", "main.js");

/** A command line that has ended. */
export interface WindowsCommandResult {
  readonly exitCode: number;
  /** Standard output and standard error. */
  readonly output: string;
}

/** A command line that runs. */
export interface RunningCommand {
  readonly hasEnded: () => boolean;
  /** Ends it in mid-work. */
  readonly kill: () => Promise<void>;
}

/** Starts `certwire` of this build in node.exe for Windows, with the real addon; its output is appended to `logFile`. */
export async function startCertwireInWine(
  logFile: string,
  ...words: readonly string[]
): Promise<RunningCommand> {
  const child = startWine(await nodeForWindows(), [windowsPath(mainProgram), ...words], logFile);
  const closed = once(child, "close");
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const signal = (): void => {
    if (child.pid !== undefined && !hasEnded()) process.kill(-child.pid, "SIGKILL");
  };
  const kill = async (): Promise<void> => {
    signal();
    await closed;
  };
  process.once("exit", signal);
  child.once("close", () => process.off("exit", signal));
  return { hasEnded, kill };
}

/** Runs `certwire` of this build in node.exe for Windows, with the real addon. */
export async function certwireInWine(...words: readonly string[]): Promise<WindowsCommandResult> {
  try {
    const output = await runWine(await nodeForWindows(), [windowsPath(mainProgram), ...words]);
    return { exitCode: 0, output };
  } catch (error) {
    if (!(error instanceof CommandError) || error.exitCode === undefined) throw error;
    return { exitCode: error.exitCode, output: error.message };
  }
}

/** CAs that exist in Wine's registry only; gone after the test, as are those of earlier tests before it. */
export class MadeUpCas {
  static async create(context: TestContext): Promise<MadeUpCas> {
    const cas = new MadeUpCas();
    await cas.#remove();
    context.after(() => cas.#remove());
    return cas;
  }

  /** Makes a CA with this value as its list of exit modules, and the active one unless told otherwise. */
  async add(name: string, type: string, list: string, isActive = true): Promise<void> {
    const key = `${configuration}\\${name}\\ExitModules`;
    await this.#write(key, "Active", type, list);
    if (isActive) await this.#write(configuration, "Active", "REG_SZ", name);
  }

  /** Names the server and the CA, as the CA itself does when it is installed. */
  async nameServer(name: string, server: string): Promise<void> {
    await this.#write(`${configuration}\\${name}`, "CAServerName", "REG_SZ", server);
    await this.#write(`${configuration}\\${name}`, "CommonName", "REG_SZ", name);
  }

  /** The stored list as reg.exe prints it: its type, and its texts with `\0` between them. */
  async listOf(name: string): Promise<string> {
    const text = await runWine("reg", [
      "query",
      `${configuration}\\${name}\\ExitModules`,
      "/v",
      "Active",
    ]);
    return /Active +(REG_\w+ +.*?)\r?\n/.exec(text)?.[1]?.replace(/ +/, " ") ?? text;
  }

  async #write(key: string, name: string, type: string, data: string): Promise<void> {
    await runWine("reg", ["add", key, "/v", name, "/t", type, "/d", data, "/f"]);
  }

  async #remove(): Promise<void> {
    try {
      await runWine("reg", ["delete", configuration, "/f"]);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error; // there is none
    }
  }
}
