import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** Directory of the checkout, found from the source as well as from the compiled files. */
export const repoRoot: string = (() => {
  let directory = import.meta.dirname;
  while (!existsSync(join(directory, "package-lock.json"))) {
    const parent = dirname(directory);
    if (parent === directory) throw new Error(`no checkout above ${import.meta.dirname}`);
    directory = parent;
  }
  return directory;
})();
