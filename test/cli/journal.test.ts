import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { progressLine } from "../../src/cli/progress.ts";
import { listSegments } from "../../src/journal/segments.ts";
import type { JournalStatus } from "../../src/journal-tools/read-status.ts";
import type { JournalVerdict } from "../../src/journal-tools/verify-journal.ts";
import { runCli, startCli, temporaryDirectory } from "../support/run-cli.ts";
import {
  flushed,
  journalDirectory,
  openSmall,
  record,
  smallRequest,
} from "../support/small-journal.ts";
import { settled } from "../support/until.ts";

/** A sealed journal of 200 requests. */
async function smallJournal(context: TestContext, segmentBytes?: number): Promise<string> {
  const directory = journalDirectory(context);
  const simulator = openSmall(directory, segmentBytes);
  for (const first of [1, 101]) {
    record(simulator, first, first + 99);
    await flushed(simulator);
  }
  simulator.shutdown();
  simulator.close();
  return directory;
}

/** Flips a bit in the request bytes of the first record. A MARK may stand anywhere between two records. */
async function damageRecord(directory: string): Promise<void> {
  const [first] = await listSegments(directory);
  const path = join(directory, first!.name);
  const bytes = readFileSync(path);
  const request = bytes.indexOf(smallRequest(500));
  assert.ok(request > 0);
  bytes[request] = bytes[request]! ^ 1;
  writeFileSync(path, bytes);
}

test("journal check says that a whole journal is not damaged", async (context) => {
  const directory = await smallJournal(context);
  const { exitCode, stdout } = await runCli("journal", "check", "--journal", directory);
  assert.equal(exitCode, 0);
  assert.match(stdout, /200 records\nnot damaged\n$/);
});

test("journal check names the damaged record and ends with 65", async (context) => {
  const directory = await smallJournal(context);
  await damageRecord(directory);
  const { exitCode, stdout } = await runCli("journal", "check", "-j", directory, "--json");
  assert.equal(exitCode, 65);
  const result = JSON.parse(stdout) as JournalVerdict;
  assert.equal(result.isDamaged, true);
  assert.equal(result.records, 199);
  assert.equal(result.damagedRanges, 1);
  assert.deepEqual(
    result.findings.map(({ kind }) => kind),
    ["damage"],
  );
});

test("journal check reports an unclean stop, which does not count as damage", async (context) => {
  const directory = journalDirectory(context);
  for (const first of [1, 101]) {
    const simulator = openSmall(directory);
    record(simulator, first, first + 99);
    await flushed(simulator);
    simulator.close();
  }
  const { exitCode, stdout } = await runCli("journal", "check", "-j", directory, "--json");
  assert.equal(exitCode, 0);
  const { findings } = JSON.parse(stdout) as JournalVerdict;
  assert.deepEqual(
    findings.map(({ kind }) => kind),
    ["unclean-stop"],
  );
});

test("journal check finds a segment whose header is gone, and skips spares", async (context) => {
  const directory = await smallJournal(context);
  writeFileSync(join(directory, "e0000000009-s000000.cej"), Buffer.alloc(8192));
  assert.equal((await runCli("journal", "check", "-j", directory)).exitCode, 0);
  writeFileSync(join(directory, "e0000000009-s000001.cej"), Buffer.alloc(8192, 1));
  const { exitCode, stdout } = await runCli("journal", "check", "-j", directory);
  assert.equal(exitCode, 65);
  assert.match(
    stdout,
    /damage +e0000000009-s000001\.cej +the header of the segment does not verify/,
  );
});

test("every journal command ends with 74 if there is no journal", async (context) => {
  const gone = join(temporaryDirectory(context), "gone");
  for (const words of [["status"], ["check"], ["cat"], ["export", join(gone, "file")]]) {
    const { exitCode, stderr } = await runCli("journal", ...words, "-j", gone);
    assert.equal(exitCode, 74, words[0]);
    assert.match(stderr, /CERTWIRE_JOURNAL_UNREADABLE/);
  }
});

test("journal commands that are not complete end with 2", async () => {
  for (const words of [[], ["export"], ["cat", "--kind", "certificate.isued", "-j", "x"]]) {
    assert.equal((await runCli("journal", ...words)).exitCode, 2, words.join(" "));
  }
});

test("journal cat writes the chosen events, and with --raw their records", async (context) => {
  const directory = await smallJournal(context);
  const words = ["journal", "cat", "-j", directory, "--request-id", "7", "--request-id", "9"];
  const events = (await runCli(...words)).stdout.trim().split("\n");
  const kinds = events.map((line) => (JSON.parse(line) as { type: string }).type);
  assert.deepEqual(kinds, Array(2).fill("io.certwire.certificate.issued.v1"));
  const raw = (await runCli(...words, "--raw")).stdout.trim().split("\n");
  const records = raw.map(
    (line) => JSON.parse(line) as { sequence: number; record: { request: object } },
  );
  assert.deepEqual(
    records.map(({ sequence }) => sequence),
    [8, 10],
  );
  assert.deepEqual(Object.keys(records[0]!.record.request).toSorted(), ["RawRequest", "RequestID"]);
});

test("what journal export wrote is replayed whole, and an existing file is left alone", async (context) => {
  const directory = await smallJournal(context);
  const file = join(temporaryDirectory(context), "events.ndjson");
  const { exitCode, stdout } = await runCli("journal", "export", file, "-j", directory, "--json");
  assert.equal(exitCode, 0);
  assert.equal((JSON.parse(stdout) as { events: number }).events, 200);
  const replayed = await runCli("replay", file, "--stdout");
  assert.equal(replayed.exitCode, 0, replayed.stderr);
  assert.equal(replayed.stdout.trim().split("\n").length, 200);
  assert.equal((await runCli("journal", "export", file, "-j", directory)).exitCode, 2);
  assert.equal(existsSync(`${file}.partial`), false);
});

test("journal status shows the content, the distance of a sink, and the writer's durations", async (context) => {
  // All in one segment, because the durations are those of the newest one.
  const directory = await smallJournal(context, 1024 * 1024);
  const config = join(temporaryDirectory(context), "certwire.json");
  const sink = { name: "broker", url: "kafka://localhost:9092/topic", enabled: false };
  const places = { journal: { directory }, state: { directory: "state" } };
  writeFileSync(config, JSON.stringify({ ...places, sinks: [sink] }));
  const { exitCode, stdout, stderr } = await runCli("journal", "status", "-c", config, "--json");
  assert.equal(exitCode, 0, stderr);
  const status = JSON.parse(stdout) as JournalStatus;
  assert.equal(status.epochs, 1);
  assert.equal(status.segments, (await listSegments(directory)).length);
  assert.equal(status.first?.sequence, "1");
  assert.equal(status.last?.sequence, "201");
  assert.deepEqual(status.sinks[0]?.checkpoint, "new");
  assert.ok(status.sinks[0].behindBytes > 200 * 1000);
  assert.ok(status.writer.append.count > 0);
  assert.ok((status.writer.append.p50Us ?? 0) > 0);
  const text = (await runCli("journal", "status", "-c", config)).stdout;
  assert.match(text, /sink broker +disabled, no checkpoint/);
});

test("the progress of long work has share, speed and what is left", () => {
  const line = progressLine(256 * 2 ** 20, 2 ** 30, 2000, "7 records");
  assert.equal(line, "25 % of 1.0 GiB, 128.0 MiB/s, 6 s left, 7 records");
});

test("a directory, a pipe or a link with the name of a segment is reported and passed over", async (context) => {
  const directory = await smallJournal(context);
  const before = await runCli("journal", "cat", "-j", directory);
  const name = (number: number): string => `e0000000009-s00000${number}.cej`;
  mkdirSync(join(directory, name(0)));
  execFileSync("mkfifo", [join(directory, name(1))]);
  symlinkSync("/dev/zero", join(directory, name(2)));
  const check = startCli(["journal", "check", "-j", directory, "--json"]);
  const { exitCode, stdout } = await settled(check.ended, "the check has ended");
  assert.equal(exitCode, 0, stdout);
  const { findings, isDamaged } = JSON.parse(stdout) as JournalVerdict;
  assert.deepEqual(
    findings.map(({ kind, place }) => [kind, place]),
    [0, 1, 2].map((number) => ["impostor", name(number)]),
  );
  assert.equal(isDamaged, false);
  for (const words of [["cat"], ["status"]]) {
    const command = startCli(["journal", ...words, "-j", directory]);
    const result = await settled(command.ended, "the command has ended");
    assert.equal(result.exitCode, 0, result.stderr);
    if (words[0] === "cat") assert.equal(result.stdout, before.stdout);
  }
});

test("a day that does not exist is refused", async () => {
  for (const day of ["2026-02-30", "2026-02-29T00:00:00Z", "2026-13-01"]) {
    const { exitCode, stderr } = await runCli("journal", "cat", "-j", "x", "--from", day);
    assert.equal(exitCode, 2, stderr);
    assert.match(stderr, /It must look like 2026-01-31/);
  }
});

test("an export writes through no link, and destroys no file of somebody else", async (context) => {
  const journal = await smallJournal(context);
  const directory = temporaryDirectory(context);
  const [file, victim] = [join(directory, "out.ndjson"), join(directory, "victim")];
  writeFileSync(victim, "mine");
  symlinkSync(victim, `${file}.partial`);
  const linked = await runCli("journal", "export", file, "-j", journal);
  assert.equal(linked.exitCode, 2, linked.stderr);
  assert.match(linked.stderr, /out\.ndjson\.partial already exists/);
  assert.equal(readFileSync(victim, "utf8"), "mine");
  assert.ok(existsSync(`${file}.partial`));
  symlinkSync("nowhere", file);
  assert.equal((await runCli("journal", "export", file, "-j", journal)).exitCode, 2);
  const other = join(directory, "other.ndjson");
  writeFileSync(`${other}.partial`, "of somebody else");
  const unreadable = await runCli("journal", "export", other, "-j", join(directory, "gone"));
  assert.equal(unreadable.exitCode, 74, unreadable.stderr);
  assert.equal(readFileSync(`${other}.partial`, "utf8"), "of somebody else");
});
