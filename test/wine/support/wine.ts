import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { repoRoot } from "../../integration/support/repo-root.ts";
import { runCommand } from "../../integration/support/run-command.ts";

/** Directory of the cross-compiled binaries. */
export const windowsBuild: string =
  process.env["CERTWIRE_WINDOWS_BUILD"] ?? join(repoRoot, "build", "windows");

/** Directory of Wine's prefix: registry and drives of the tests. */
const prefix = process.env["WINEPREFIX"] ?? join(repoRoot, "build", "wine-prefix");

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
  // Neither a window nor an installer may open.
  WINEDLLOVERRIDES: "mscoree,mshtml=",
  DISPLAY: "",
});

/** Debian keeps the 64-bit loader off the search path. */
const loader = existsSync("/usr/lib/wine/wine64") ? "/usr/lib/wine/wine64" : "wine";

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

async function registerModule(): Promise<void> {
  await runCommand("bash", [join(repoRoot, "scripts", "wine-prefix.sh")], {
    env: environment(),
    timeoutMs: 120_000,
  });
  await runWine("regsvr32", ["/s", windowsPath(binaries.exitModule)]);
}

/** Runs a Windows program to its end; rejects with CommandError when it fails. */
export async function runWine(
  program: string,
  args: readonly string[],
  timeoutMs = 60_000,
): Promise<string> {
  const output = await runCommand(loader, [program, ...args], { env: environment(), timeoutMs });
  return output.toString();
}

/** Starts a Windows program that the caller ends; standard streams are pipes. */
export function startWine(program: string, args: readonly string[]): ChildProcess {
  return spawn(loader, [program, ...args], { env: environment() });
}
