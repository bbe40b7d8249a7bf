import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repoRoot } from "../../integration/support/repo-root.ts";
import type { BrokerMessage } from "./broker-messages.ts";

/** What a run has shown with one program of other people. */
export interface InteropResult {
  /** As the page calls it. */
  readonly software: string;
  /** The version that ran. */
  readonly version: string;
  /** What passed, in the words of the page: by broker and mode for an SDK, `result` for anything else. */
  readonly passed: Readonly<Record<string, string>>;
}

const directory = join(repoRoot, "build", "interop");

/** Keeps the result of a test that passed, for the page that `npm run test:interop` writes. */
export function keepResult(result: InteropResult): void {
  mkdirSync(directory, { recursive: true });
  const file = `${result.software.replaceAll(/\W+/g, "-")}.json`;
  writeFileSync(join(directory, file), JSON.stringify(result));
}

/** The results of all tests that have passed in this checkout. */
export function readResults(): InteropResult[] {
  mkdirSync(directory, { recursive: true });
  return readdirSync(directory).map((file) =>
    JSON.parse(readFileSync(join(directory, file), "utf8")),
  );
}

/** What passed, by broker and mode, when all messages did. */
export function passedMessages(messages: readonly BrokerMessage[]): Record<string, string> {
  const counts: Record<string, number> = {};
  for (const { broker, mode } of messages) {
    const column = `${broker}, ${mode}`;
    counts[column] = (counts[column] ?? 0) + 1;
  }
  return Object.fromEntries(
    Object.entries(counts).map(([column, count]) => [column, `${count} of ${count}`]),
  );
}

/** The version of an npm package that is installed. */
export function npmVersion(name: string): string {
  const text = readFileSync(join(repoRoot, "node_modules", name, "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/** The version of a Python package that test/interop/python/requirements.txt names. */
export function pythonVersion(name: string): string {
  const path = join(repoRoot, "test", "interop", "python", "requirements.txt");
  const pinned = readFileSync(path, "utf8").split("\n");
  const line = pinned.find((each) => each.startsWith(`${name}==`));
  if (line === undefined) throw new Error(`${path} does not name ${name}`);
  return line.slice(name.length + "==".length);
}
