// What kafkajs does not export. scripts/release/bundle.ts puts a module with the same exports in the place of this one:
// a bundler does not follow this `require`.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** The version of kafkajs that is installed. */
export function kafkajsVersion(): string {
  return (require("kafkajs/package.json") as { readonly version: string }).version;
}

/** src/network/requestQueue of kafkajs. */
export function requestQueueModule(): unknown {
  return require("kafkajs/src/network/requestQueue");
}
