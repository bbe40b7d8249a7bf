// What the service writes into the event log of Windows, from the Windows binaries.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { packageVersion } from "../../src/files/package-version.ts";
import { makeTempDirectory } from "../integration/support/temp-directory.ts";
import { until } from "../support/until.ts";
import { withEventLogTexts } from "./support/event-log.ts";
import { WindowsService } from "./support/windows-service.ts";
import { prepareWine, windowsPath } from "./support/wine.ts";

const version = packageVersion();

/** Starts the service with a file sink of this URL, and its entries in the log as Wine prints them. */
async function startService(url: unknown) {
  const directory = makeTempDirectory("event-log");
  const journalDirectory = join(directory, "journal");
  mkdirSync(journalDirectory);
  const sinks = [{ name: "file", url }];
  const service = await withEventLogTexts(() =>
    WindowsService.start({ directory, journalDirectory, sinks }),
  );
  const log = join(directory, "host.log");
  return { service, directory, journalDirectory, entries: () => readFileSync(log, "utf8") };
}

test("start and stop of the service are entries of the event log", async (t) => {
  if (!(await prepareWine(t))) return;
  const { service, journalDirectory, entries } = await startService("file:events");
  t.after(() => service.kill());
  const isStarted = () => entries().includes(`L"${version}"`);
  await until(isStarted, "the start is reported", {
    giveUp: () => service.assertRunning(),
    state: entries,
  });
  assert.equal(await service.stop(), 0);
  const place = windowsPath(journalDirectory).replaceAll("\\", "\\\\");
  const found = [...entries().matchAll(/ReportEventW L"(.*)"/g)].map(([, text]) => text);
  assert.deepEqual(found, [version, place, "file", "0"]);
});

test("a configuration that is refused is an entry with the first problem and its line", async (t) => {
  if (!(await prepareWine(t))) return;
  const { service, entries } = await startService(7);
  t.after(() => service.kill());
  assert.equal(await service.ended(), 78, entries());
  assert.match(entries(), /ReportEventW L"line 1, sinks\[0\]\.url: /);
});
