// What amqplib does not export. scripts/release/bundle.ts puts a module with the same exports in the place of this one:
// a bundler cannot follow these paths.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);

/** The version of amqplib that is installed. */
export function amqplibVersion(): string {
  return (load("package.json") as { readonly version: string }).version;
}

/** lib/connection.js of amqplib. */
export function connectionModule(): unknown {
  return load("lib/connection.js");
}

function load(path: string): unknown {
  return require(join(dirname(require.resolve("amqplib")), path));
}
