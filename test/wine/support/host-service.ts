import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { CommandError } from "../../integration/support/run-command.ts";
import { makeTempDirectory } from "../../integration/support/temp-directory.ts";
import { until } from "../../support/until.ts";
import { nodeForWindows, runWine, windowsBuild, windowsPath } from "./wine.ts";

/** `certwire-service.exe` of this build. */
export const serviceHost = join(windowsBuild, "certwire-service.exe");

/** What `played-service.ts` does in the place of the service. */
export interface PlayedService {
  /** Ends with this code at once; default: runs until its standard input ends. */
  readonly exitCode?: number;
  /** Goes on after the end of standard input. */
  readonly isDeaf?: boolean;
  /** Writes this many lines of about 1 KB first. */
  readonly lines?: number;
  /** Where it leaves traces besides its log, a path of Windows. */
  readonly traceFile?: string;
}

/** A line of the log, of the host or of its program. */
export interface HostLogLine {
  readonly msg?: string;
  readonly name?: string;
  readonly pid?: number;
  readonly exitCode?: number;
  readonly delayMs?: number;
  readonly at?: number;
  readonly arguments?: readonly string[];
}

/** What `sc query` says about the service. */
export interface ServiceState {
  readonly state: string;
  readonly windowsError: number;
  readonly exitCode: number;
}

/** A directory with a space and a letter outside ASCII in its name, and what the host needs in it. */
export class HostDirectory {
  readonly path = join(makeTempDirectory("service-host"), "Zertifikate für CA");
  readonly config = join(this.path, "certwire config.json");
  readonly logDirectory = join(this.path, "state", "log");

  constructor(played: PlayedService = {}) {
    mkdirSync(this.path);
    this.play(played);
  }

  /** What the program does when it is started the next time. */
  play(played: PlayedService): void {
    writeFileSync(this.config, JSON.stringify(played));
  }

  /** The options of the host, for the played service. */
  async options(...more: readonly string[]): Promise<string[]> {
    const places = {
      "--node": await nodeForWindows(),
      "--program": join(import.meta.dirname, "played-service.js"),
      "--config": this.config,
      "--log-directory": this.logDirectory,
    };
    return [
      ...Object.entries(places).flatMap(([name, path]) => [name, windowsPath(path)]),
      ...more,
    ];
  }

  logFiles(): string[] {
    return existsSync(this.logDirectory) ? readdirSync(this.logDirectory).toSorted() : [];
  }

  logText(): string {
    return this.logFiles()
      .map((name) => readFileSync(join(this.logDirectory, name), "utf8"))
      .join("");
  }

  lines(): HostLogLine[] {
    return this.logText().split("\n").flatMap(parseLine);
  }

  /** Waits until the log has this many lines with a message, and returns them. */
  linesWith(msg: string, count = 1): Promise<HostLogLine[]> {
    const attempt = (): HostLogLine[] | false => {
      const found = this.lines().filter((line) => line.msg === msg);
      return found.length >= count && found;
    };
    return until(attempt, `the log has ${count} lines "${msg}"`, {
      everyMs: 50,
      state: () => this.lines().slice(-20),
    });
  }
}

/** An incomplete line is left out. */
function parseLine(text: string): HostLogLine[] {
  try {
    return [JSON.parse(text) as HostLogLine];
  } catch {
    return [];
  }
}

/** The number on this machine of a Windows program that works in a directory, as its arguments show. */
export function processIn({ path }: HostDirectory, program: string): number | undefined {
  const found = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .find((name) => {
      const [first = "", ...rest] = commandOf(name);
      return first.endsWith(program) && rest.some((text) => text.includes(windowsPath(path)));
    });
  return found === undefined ? undefined : Number(found);
}

function commandOf(pid: string): string[] {
  try {
    return readFileSync(join("/proc", pid, "cmdline"), "utf8").split("\0");
  } catch {
    return []; // it has ended
  }
}

/** A service of Wine's service control manager that `certwire-service.exe` runs. */
export class RegisteredService {
  readonly #name: string;

  private constructor(name: string) {
    this.#name = name;
  }

  /** Creates it, started by hand only; it is deleted after the test. */
  static async create(
    context: TestContext,
    options: readonly string[],
    name = "Certwire",
  ): Promise<RegisteredService> {
    const service = await RegisteredService.named(context, name);
    const words = [windowsPath(serviceHost), "--service", ...options];
    const binPath = words.map((word) => `"${word}"`).join(" ");
    await runWine("sc", ["create", name, "start=", "demand", "binPath=", binPath]);
    return service;
  }

  /** For a service that the test creates itself; it is deleted before and after the test. */
  static async named(context: TestContext, name = "Certwire"): Promise<RegisteredService> {
    const service = new RegisteredService(name);
    await service.#remove();
    context.after(() => service.#remove());
    return service;
  }

  /** Undefined if there is no such service. */
  async state(): Promise<ServiceState | undefined> {
    const text = await outputOf("sc", ["query", this.#name]);
    const number = (name: string) => Number(new RegExp(`${name} +: (\\d+)`).exec(text)?.[1]);
    const state = /STATE +: \d+ +(\w+)/.exec(text)?.[1];
    if (state === undefined) return undefined;
    return {
      state,
      windowsError: number("WIN32_EXIT_CODE"),
      exitCode: number("SERVICE_EXIT_CODE"),
    };
  }

  /** Has it started and waits until it is running. */
  async start(): Promise<void> {
    await this.begin();
    await this.untilState("RUNNING");
  }

  /** Has it started and does not wait. */
  async begin(): Promise<void> {
    // Wine refuses a start within a second of a stop.
    const attempt = async (): Promise<boolean> =>
      !/internal error/i.test(await outputOf("net", ["start", this.#name]));
    await until(attempt, "the service is being started", { everyMs: 500 });
  }

  /** Stops it, also while it still starts and refuses that. */
  stop(): Promise<ServiceState> {
    const attempt = async (): Promise<ServiceState | false> => {
      await outputOf("net", ["stop", this.#name]);
      const found = await this.state();
      return found?.state === "STOPPED" && found;
    };
    return until(attempt, "the service is stopped", { everyMs: 200 });
  }

  untilState(wanted: string): Promise<ServiceState> {
    let last: ServiceState | undefined;
    const attempt = async (): Promise<ServiceState | undefined> => {
      last = await this.state();
      return last?.state === wanted ? last : undefined;
    };
    return until(attempt, `the service is ${wanted}`, { everyMs: 200, state: () => last });
  }

  async #remove(): Promise<void> {
    const found = await this.state();
    if (found === undefined) return;
    if (found.state !== "STOPPED") await this.stop();
    // It fails where the service is marked for deletion already.
    await outputOf("sc", ["delete", this.#name]);
    await until(async () => (await this.state()) === undefined, "the service is deleted");
  }
}

/** What a program says, also if it fails. */
async function outputOf(program: string, args: readonly string[]): Promise<string> {
  try {
    return await runWine(program, args);
  } catch (error) {
    assert.ok(error instanceof CommandError, String(error));
    return error.message;
  }
}
