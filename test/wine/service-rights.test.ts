import assert from "node:assert/strict";
import { createReadStream, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { flushed, journalDirectory, openSmall, record } from "../support/small-journal.ts";
import { until } from "../support/until.ts";
import { WindowsService } from "./support/windows-service.ts";
import { prepareWine } from "./support/wine.ts";

/** What the service's account gets in the journal directory (docs/how-to/install-on-a-ca.md). */
const read = 0x0012_0089;
const execute = 0x0012_00a0;
const remove = 0x0001_0000;
const genericRead = 0x8000_0000;
const genericExecute = 0x2000_0000;
const fileRights = read | genericRead | remove;
const directoryRights = read | genericRead | execute | genericExecute;

/** Every right that was asked for when a segment, or the directory itself, was opened. */
async function askedRights(
  log: string,
): Promise<{ segments: Set<number>; directory: Set<number> }> {
  const asked = { segments: new Set<number>(), directory: new Set<number>() };
  const pattern = /NtCreateFile .* access=(\w+) name=L"[^"]*\\\\journal(\\\\[^"]*)?" /;
  for await (const line of createInterface({ input: createReadStream(log) })) {
    const [, access = "", name = ""] = pattern.exec(line) ?? [];
    if (access === "") continue;
    if (name === "" || name === "\\\\") asked.directory.add(Number.parseInt(access, 16));
    else if (name.endsWith(".cej")) asked.segments.add(Number.parseInt(access, 16));
  }
  return asked;
}

function beyond(asked: Iterable<number>, granted: number): string[] {
  return [...asked]
    .filter((rights) => (rights & ~granted) !== 0)
    .map((rights) => rights.toString(16));
}

// Wine keeps no rights of files, so this checks what is asked for. Node's own `unlink` asks for more.
test("reading, publishing and deleting segments asks for no right that the service does not have", async (t) => {
  if (!(await prepareWine(t))) return;
  const journal = journalDirectory(t);
  const simulator = openSmall(journal);
  record(simulator, 1, 300);
  await flushed(simulator);
  simulator.shutdown();
  simulator.close();
  const segments = () => readdirSync(journal).filter((name) => name.endsWith(".cej"));
  const before = segments().length;
  assert.ok(before > 3, "there are too few segments");
  const debug = process.env["WINEDEBUG"];
  process.env["WINEDEBUG"] = "+file";
  t.after(() => {
    if (debug === undefined) delete process.env["WINEDEBUG"];
    else process.env["WINEDEBUG"] = debug;
  });
  const directory = dirname(journal);
  const service = await WindowsService.start({
    directory,
    journalDirectory: journal,
    journal: { replayWindowDays: 0 },
    sinks: [{ name: "files", url: "file:events" }],
  });
  t.after(() => service.kill());
  await until(() => segments().length <= 2, "what is published is deleted", { everyMs: 100 });
  assert.equal(await service.stop(), 0);
  const asked = await askedRights(join(directory, "host.log"));
  assert.ok(
    [...asked.segments].some((rights) => (rights & remove) !== 0),
    "no deletion was seen",
  );
  assert.ok(asked.directory.size > 0, "no listing was seen");
  assert.deepEqual(beyond(asked.segments, fileRights), []);
  assert.deepEqual(beyond(asked.directory, directoryRights), []);
});
