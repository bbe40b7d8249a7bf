import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FakeWindows } from "./fake-windows.ts";
import { writeProgram } from "./windows-program.ts";

/**
 * Goes into a directory of its own, where a path of Windows is the name of a file: on this system a backslash is a
 * letter. Returns what goes back and removes it.
 */
export function enterDllDirectory(): () => void {
  const directory = mkdtempSync(join(tmpdir(), "certwire-ca-"));
  const startedIn = process.cwd();
  process.chdir(directory);
  return () => {
    process.chdir(startedIn);
    rmSync(directory, { recursive: true });
  };
}

/** A registered DLL for x64 at a path that Windows would call a full one; needs `enterDllDirectory`. */
export function registerDll(windows: FakeWindows): string {
  const dll = "C:\\Certwire\\certwire-exit.dll";
  writeProgram(dll, "x64");
  windows.register(dll);
  return dll;
}
