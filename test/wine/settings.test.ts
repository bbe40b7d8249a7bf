import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeTempDirectory } from "../integration/support/temp-directory.ts";
import { ScenarioWriter } from "../scenarios/scenario-writer.ts";
import { until } from "../support/until.ts";
import { runUnhurried } from "./support/check-run.ts";
import { eventLogEntries } from "./support/event-log.ts";
import { readRecorded } from "./support/recorded.ts";
import { prepareWine } from "./support/wine.ts";

const mebibyte = 2 ** 20;
const requestBytes = 65_536;

/** What the event log says about a CA with these settings whose requests have this many bytes in total. */
async function entriesWith(settings: Record<string, number | string>, bytes: number) {
  const writer = new ScenarioWriter();
  const request = { RawRequest: writer.binary(Buffer.alloc(requestBytes, 0x30)) };
  for (let context = 1; context <= bytes / requestBytes; context += 1) {
    writer.add({ event: 1, context, chain: "requests", request });
  }
  const scenario = join(makeTempDirectory("scenarios"), "settings.ndjson");
  writer.save(scenario, { caName: "Settings CA", ca: {}, settings, secrets: [], boundMs: 1000 });
  const journal = join(makeTempDirectory("journal"), "journal");
  mkdirSync(journal, { mode: 0o755 });
  return eventLogEntries(scenario, journal);
}

/**
 * The entries of a run that wrote the wanted one: the module may write an entry after a second, or after it has let a
 * stop go on, so a short run can end before.
 */
function entryOf(settings: Record<string, number | string>, wanted: RegExp, bytes = 0) {
  const attempt = async (): Promise<string | false> => {
    const entries = await entriesWith(settings, bytes);
    return wanted.test(entries) && entries;
  };
  return until(attempt, `an entry matches ${wanted}`);
}

const ignored: [setting: Record<string, number | string>, reason: string][] = [
  [{ JournalDirectory: `C:\\${"j".repeat(240)}` }, "it is longer than 235 characters"],
  [{ MaxMemoryMegabytes: 1025 }, "it is above 1024"],
  [{ MaxMemoryMegabytes: "64" }, "it is not a REG_DWORD"],
];
for (const [setting, reason] of ignored) {
  const [name = ""] = Object.keys(setting);
  test(`a warning says that ${name} is not used since ${reason}`, async (t) => {
    if (!(await prepareWine(t))) return;
    await entryOf(setting, new RegExp(`L"${name}"\\s.*L"${reason}"`));
  });
}

for (const [name, least] of [
  ["MaxMemoryMegabytes", 32],
  ["MaxJournalMegabytes", 64],
] as const) {
  test(`a warning says that ${name} is ${least} when the registry has less`, async (t) => {
    if (!(await prepareWine(t))) return;
    await entryOf({ [name]: least - 1 }, new RegExp(`L"${name}"\\s.*L"${least}"`));
  });
}

/** Wine shows what stands in an entry, but not its text: here the number of lost events. */
const lost = /L"MaxJournalMegabytes is reached"\s.*L"0"\s.*L"(\d+)"/;

test("MaxMemoryMegabytes limits what waits for a full journal; more of it loses nothing", async (t) => {
  if (!(await prepareWine(t))) return;
  const full = { MaxJournalMegabytes: 64, MinFreeMegabytes: 0 };
  const small = await entryOf({ ...full, MaxMemoryMegabytes: 32 }, lost, 128 * mebibyte);
  const count = Number(lost.exec(small)?.[1]);
  // At most 64 MiB are in the journal, and 32 in memory; with 64 in memory nothing would be lost. The entry has the
  // number of the moment in which it was written.
  assert.ok(count > 0 && count < (44 * mebibyte) / requestBytes, small);
  const isFull = /MaxJournalMegabytes is reached/;
  const large = await entryOf({ ...full, MaxMemoryMegabytes: 128 }, isFull, 128 * mebibyte);
  assert.doesNotMatch(large, lost);
});

test("the values of the attributes that BlankedAttributes names are not recorded", async (t) => {
  if (!(await prepareWine(t))) return;
  const writer = new ScenarioWriter();
  writer.add({
    event: 1,
    context: 1,
    chain: "requests",
    request: { RequestAttributes: { string: "employee-pin:s3cret\nccm:host" } },
    attributes: [
      ["EmployeePin", { string: "s3cret" }],
      ["Badge", { string: "s3cret" }],
      ["ccm", { string: "host" }],
    ],
  });
  const scenario = join(makeTempDirectory("scenarios"), "blanked.ndjson");
  const settings = { BlankedAttributes: "Employee PIN, badge" };
  writer.save(scenario, { caName: "Settings CA", ca: {}, settings, secrets: [], boundMs: 60_000 });
  const run = await runUnhurried(scenario);
  const [recorded] = readRecorded(run.journalDirectory).filter(({ event }) => event === 1);
  assert.deepEqual(recorded?.attributes, [
    "text:EmployeePin = redacted:",
    "text:Badge = redacted:",
    "text:ccm = text:host",
  ]);
  assert.deepEqual(recorded.request, {
    RequestAttributes: "text:employee-pin:[redacted]\nccm:host",
  });
});
