import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { FakeWindows } from "./fake-windows.ts";
import { writeProgram } from "./windows-program.ts";

const startedIn = process.cwd();

/**
 * A registered DLL for x64 at a path that Windows would call a full one. Until the end of the test the process works in
 * a directory of its own, where that path is the name of a file: on this system a backslash is a letter.
 */
export function registerDll(context: TestContext, windows: FakeWindows): string {
  const directory = mkdtempSync(join(tmpdir(), "certwire-ca-"));
  process.chdir(directory);
  context.after(() => {
    process.chdir(startedIn);
    rmSync(directory, { recursive: true });
  });
  const dll = "C:\\Certwire\\certwire-exit.dll";
  writeProgram(dll, "x64");
  windows.register(dll);
  return dll;
}
