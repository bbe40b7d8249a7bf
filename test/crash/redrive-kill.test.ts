// The kills of test/integration/redrive-crash.test.ts with a sink that needs no broker.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { killRedrives, wholeLines } from "../support/killed-redrives.ts";
import { temporaryDirectory } from "../support/run-cli.ts";

test("a redrive to files killed at any moment loses no letter, and repeats only what was not marked", async (t) => {
  const directory = temporaryDirectory(t);
  const entry = { url: `file://${directory}`, maxFiles: 0, maxFileBytes: 100_000, batchEvents: 5 };
  await killRedrives(t, entry, async () => {
    const names = readdirSync(directory, { recursive: true, encoding: "utf8" });
    return names
      .filter((name) => name.endsWith(".ndjson"))
      .flatMap((name) => wholeLines(readFileSync(join(directory, name), "utf8")))
      .map((event) => event as { readonly id: string });
  });
});
