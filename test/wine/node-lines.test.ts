// The addon for Windows in node.exe of every line that starts in this Wine.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { makeTempDirectory } from "../integration/support/temp-directory.ts";
import { cliMain } from "../support/run-cli.ts";
import { frameTypes, readFrames } from "./support/journal-frames.ts";
import { nodeForWindows, nodeLines, prepareWine, runWine, windowsPath } from "./support/wine.ts";

const events = 200;
/** Start and stop of the CA are events too. */
const records = events + 2;

test("node.exe of each line writes a journal by the addon and reads it", async (t) => {
  if (!(await prepareWine(t))) return;
  for (const line of await nodeLines()) {
    await t.test(`Node ${line}`, async (lineTest) => {
      const node = await nodeForWindows(line);
      const version = (await runWine(node, ["--version"])).trim();
      assert.match(version, new RegExp(`^v${line}\\.`));
      const journal = join(makeTempDirectory("node-line"), "journal");
      const certwire = (...words: readonly string[]): Promise<string> =>
        runWine(node, [windowsPath(cliMain), ...words, "--journal", windowsPath(journal)]);
      await certwire("simulate", "--count", String(events), "--rate", "0");
      assert.match(
        await certwire("journal", "check"),
        new RegExp(`, ${records} records\\nnot damaged\\n`),
      );
      const written = readFrames(journal).filter(({ type }) => type === frameTypes.event);
      assert.equal(written.length, records);
      lineTest.diagnostic(`${version}: ${records} records`);
    });
  }
});
