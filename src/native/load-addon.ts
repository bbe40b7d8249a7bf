// scripts/release/bundle.ts puts a module with the same export in the place of this one: a bundler does not follow this
// `require`, which many commands never reach.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** Loads the addon of this platform from the directory of a package. Throws if there is none. */
export function loadAddon(packageDirectory: string): unknown {
  const load = require("node-gyp-build") as (directory: string) => unknown;
  return load(packageDirectory);
}
