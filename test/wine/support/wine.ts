import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { repoRoot } from "../../integration/support/repo-root.ts";
import { CommandError, runCommand } from "../../integration/support/run-command.ts";
import { makeTempDirectory } from "../../integration/support/temp-directory.ts";
import { patienceMs } from "../../support/until.ts";

/** Directory of the cross-compiled binaries. */
export const windowsBuild: string =
  process.env["CERTWIRE_WINDOWS_BUILD"] ?? join(repoRoot, "build", "windows");

/** Directory of Wine's prefix: registry and drives of the tests. */
let prefix = process.env["WINEPREFIX"] ?? join(repoRoot, "build", "wine-prefix");

/** From now on this process uses a prefix of its own, for tests that change more than a registration. */
export function useOwnPrefix(name: string): void {
  prefix = `${prefix}-${name}`;
}

/** Directory that the prefix has as its drive C:. */
export function driveC(): string {
  return join(prefix, "drive_c");
}

/** Programs of this run's binaries. */
export const binaries = {
  exitModule: join(windowsBuild, "certwire-exit.dll"),
  standin: join(windowsBuild, "certsrv-standin.exe"),
} as const;

const environment = (): NodeJS.ProcessEnv => ({
  ...process.env,
  WINEPREFIX: prefix,
  WINEARCH: "win64",
  WINEDEBUG: process.env["WINEDEBUG"] ?? "-all",
  // Neither a window nor an installer may open, and Wine 10 complains about a missing Wayland.
  WINEDLLOVERRIDES: "mscoree,mshtml,winewayland.drv=",
  DISPLAY: "",
  // Debian's Wine 10 aborts where it is set.
  TMPDIR: undefined,
});

/** Line of the Node.js that the tests run in Wine; Wine 8 starts none after 22. */
const nodeLine = process.env["CERTWIRE_WINDOWS_NODE"] ?? "20";

/** Path of node.exe for Windows, which is fetched if it is not there. Default line that of CERTWIRE_WINDOWS_NODE. */
export async function nodeForWindows(line: number | string = nodeLine): Promise<string> {
  const script = join(repoRoot, "scripts", "fetch-node-windows.sh");
  const path = await runCommand("bash", [script, String(line)], { timeoutMs: 300_000 });
  return path.toString().trim();
}

/** Lines of Node.js whose node.exe starts in this Wine. */
export async function nodeLines(): Promise<number[]> {
  const version = (
    await runCommand(loader, [...loaderArguments, "--version"], { env: environment() })
  ).toString();
  const [, major] = /^wine-(\d+)\./.exec(version) ?? [];
  assert.ok(major !== undefined, `no version of Wine: ${version}`);
  return Number(major) < 10 ? [20, 22] : [20, 22, 24, 26];
}

/** Debian keeps the 64-bit loader off the search path. */
const debianLoader = "/usr/lib/wine/wine64";

/**
 * Root directory of another Debian, whose Wine is used, as scripts/debian-13.sh sets it; what the tests share with Wine
 * is mounted there in the same places.
 */
const root = process.env["CERTWIRE_WINE_ROOT"];

/** How the tests start Wine: a command, and the arguments before those of Wine. */
const [loader, ...loaderArguments] = root
  ? ["chroot", root, debianLoader]
  : [existsSync(debianLoader) ? debianLoader : "wine"];

/** The path as a Windows program sees it. */
export function windowsPath(path: string): string {
  return `Z:${path.replaceAll("/", "\\")}`;
}

/**
 * Makes the prefix and registers the exit module in it. False, with the test marked as skipped, when
 * this machine lacks Wine or the binaries; in CI that is an error.
 */
export async function prepareWine(context: TestContext): Promise<boolean> {
  const missing = Object.values(binaries).filter((path) => !existsSync(path));
  if (missing.length > 0) {
    const message = `needs ${missing.join(" and ")}: run npm run build:windows`;
    if (process.env["CI"] === "true") throw new Error(message);
    context.skip(message);
    return false;
  }
  registered ??= registerModule();
  await registered;
  return true;
}

let registered: Promise<void> | undefined;

/** Makes the prefix if it is not there, and starts its server. */
export async function makePrefix(): Promise<void> {
  await runCommand("bash", [join(repoRoot, "scripts", "wine-prefix.sh")], {
    env: environment(),
    timeoutMs: patienceMs,
  });
}

async function registerModule(): Promise<void> {
  await makePrefix();
  await runWine("regsvr32", ["/s", windowsPath(binaries.exitModule)]);
}

/**
 * Runs a Windows program to its end and returns its output; rejects with CommandError when it fails.
 * The output goes through a file: Wine's own processes may be children of the program, and would hold
 * a pipe open long after the program's end.
 */
export async function runWine(
  program: string,
  args: readonly string[],
  timeoutMs = patienceMs,
): Promise<string> {
  const path = join(makeTempDirectory("wine"), "output");
  const output = openSync(path, "w");
  const child = spawn(loader, [...loaderArguments, program, ...args], {
    env: environment(),
    stdio: ["ignore", output, output],
    timeout: timeoutMs,
    killSignal: "SIGKILL",
  });
  closeSync(output);
  const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  const text = readFileSync(path, "utf8");
  if (code === 0) return text;
  throw new CommandError(`${program} ended with ${signal ?? code}: ${text}`, code ?? undefined);
}

/**
 * Starts a Windows program as the leader of a process group of its own, which the caller ends. Its
 * output is appended to `logFile`: sockets, as Node's pipes are, count as no streams in Wine.
 */
export function startWine(program: string, args: readonly string[], logFile: string): ChildProcess {
  const log = openSync(logFile, "a");
  const child = spawn(loader, [...loaderArguments, program, ...args], {
    env: environment(),
    detached: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  return child;
}
