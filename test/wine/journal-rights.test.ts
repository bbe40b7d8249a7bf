import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { makeTempDirectory } from "../integration/support/temp-directory.ts";
import { writeScenario } from "../scenarios/generate.ts";
import { until } from "../support/until.ts";
import { checkContents, checkRun, runUnhurried } from "./support/check-run.ts";
import { eventLogEntries } from "./support/event-log.ts";
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

test("a journal directory that others may read is used, with an entry", async (t) => {
  if (!(await prepareWine(t))) return;
  // Of an entry Wine prints the severity and what is filled in; this one names the directory only.
  const entry = /warn:eventlog:ReportEventW L"[^"]*journal"/;
  const isReported = async (mode: number) => {
    const journal = makeJournal();
    chmodSync(journal, mode);
    const entries = await eventLogEntries(scenario, journal);
    assert.ok(readdirSync(journal).includes("writer.lock"), entries);
    return entry.test(entries);
  };
  // The run may end just before the entry is written.
  await until(() => isReported(0o755), "the entry is there");
  assert.equal(await isReported(0o700), false);
});

test("a path that is not a local one is refused, and nothing is asked of it", async (t) => {
  if (!(await prepareWine(t))) return;
  const journal = join(makeTempDirectory("network"), "journal");
  // Wine reaches its host by this path; Windows would call a server by another of the same form.
  const path = `\\\\?\\unix${journal.replaceAll("/", "\\")}`;
  assert.match(await eventLogEntries(scenario, path), /it is not a full path on a local drive/);
  assert.ok(existsSync(dirname(journal)));
  assert.ok(!existsSync(journal), "the directory was made before the path was refused");
});

test("files that were planted in the journal directory change nothing", async (t) => {
  if (!(await prepareWine(t))) return;
  const planted = {
    "e4294967295-s000000.cej": Buffer.alloc(8_192, 0xff),
    "e9999999999-s000000.cej": Buffer.alloc(8_192),
    "e0000000007-s000000.cej": Buffer.from("CWJRNL\r\n but nothing behind it"),
    "e0000000008-s000000.cej": Buffer.alloc(0),
  };
  const run = await runUnhurried(scenario, () => {
    const journal = makeJournal();
    for (const [name, bytes] of Object.entries(planted)) writeFileSync(join(journal, name), bytes);
    chmodSync(join(journal, "e0000000008-s000000.cej"), 0);
    return { journalDirectory: journal };
  });
  checkContents(checkRun(scenario, run));
});
