// A backfill whose process is killed at any point.
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { makeTempDirectory } from "../integration/support/temp-directory.ts";
import { killBackfills } from "../support/killed-backfills.ts";

/** The ids in the files of the sink, in their order; a line that a kill has cut off has none. */
function publishedIn(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith(".ndjson"))
    .toSorted()
    .flatMap((name) => readFileSync(join(directory, name), "utf8").split("\n"))
    .flatMap((line) => {
      try {
        return (JSON.parse(line) as { id: string }).id;
      } catch {
        return [];
      }
    });
}

test("a backfill that is killed again and again publishes everything, and nothing twice but what was under way", async (t) => {
  const out = join(makeTempDirectory("backfill"), "out");
  mkdirSync(out);
  await killBackfills(t, { url: pathToFileURL(out).href }, async () => publishedIn(out));
});
