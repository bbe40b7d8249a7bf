import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeTempDirectory } from "../integration/support/temp-directory.ts";
import { writeScenario } from "../scenarios/generate.ts";
import { checkContents, checkRun } from "./support/check-run.ts";
import { eventLogEntries } from "./support/event-log.ts";
import { runStandin } from "./support/standin.ts";
import { prepareWine } from "./support/wine.ts";

const scenario = writeScenario("edges", makeTempDirectory("scenarios"));

/** A directory in a private one. */
function makeJournal(): string {
  const journal = join(makeTempDirectory("journal"), "journal");
  mkdirSync(journal, { mode: 0o755 });
  return journal;
}

test("a journal directory behind a link is refused with an entry, and the CA goes on", async (t) => {
  if (!(await prepareWine(t))) return;
  const target = makeJournal();
  const link = join(makeTempDirectory("link"), "journal");
  symlinkSync(target, link);
  assert.match(await eventLogEntries(scenario, link), /journal is a reparse point/);
  assert.deepEqual(readdirSync(target), []);
});

test("a journal directory that others may write to is refused with an entry", async (t) => {
  if (!(await prepareWine(t))) return;
  const journal = makeJournal();
  chmodSync(journal, 0o777);
  assert.match(
    await eventLogEntries(scenario, journal),
    /its permissions let other accounts write to it/,
  );
  assert.deepEqual(readdirSync(journal), []);
});

test("a journal directory of another account is refused with an entry", async (t) => {
  if (!(await prepareWine(t))) return;
  // Only root can give a directory away; for everybody else this one is foreign.
  let journal = "/usr/share";
  if (process.getuid?.() === 0) {
    journal = makeJournal();
    chownSync(journal, 12_345, 12_345);
  }
  assert.match(
    await eventLogEntries(scenario, journal),
    /its owner is neither SYSTEM nor the Administrators group/,
  );
  assert.ok(!readdirSync(journal).includes("writer.lock"));
});

test("files that were planted in the journal directory change nothing", async (t) => {
  if (!(await prepareWine(t))) return;
  const journal = makeJournal();
  const planted = {
    "e4294967295-s000000.cej": Buffer.alloc(8_192, 0xff),
    "e9999999999-s000000.cej": Buffer.alloc(8_192),
    "e0000000007-s000000.cej": Buffer.from("CWJRNL\r\n but nothing behind it"),
    "e0000000008-s000000.cej": Buffer.alloc(0),
  };
  for (const [name, bytes] of Object.entries(planted)) writeFileSync(join(journal, name), bytes);
  chmodSync(join(journal, "e0000000008-s000000.cej"), 0);
  const run = await runStandin(scenario, { journalDirectory: journal });
  checkContents(checkRun(scenario, run));
});
