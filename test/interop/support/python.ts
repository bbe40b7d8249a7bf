import { existsSync } from "node:fs";
import { join } from "node:path";
import { repoRoot } from "../../integration/support/repo-root.ts";

/** The Python of the tests' own packages. Throws with what to do if it is not there. */
export function pythonPath(): string {
  const path = join(repoRoot, "var", "python", "bin", "python");
  if (existsSync(path)) return path;
  throw new Error("the tests' Python packages are missing; install them with: npm run setup");
}

/** Path of a Python program of the tests. */
export function pythonProgram(name: string): string {
  return join(repoRoot, "test", "interop", "python", name);
}
