import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { collect } from "../../../src/doctor/collect.ts";
import { examine } from "../../../src/doctor/examine.ts";
import { configurationKey, FakeWindows, singleText } from "../../support/fake-windows.ts";
import { temporaryDirectory } from "../../support/run-cli.ts";
import { unzip } from "../../support/unzip.ts";

/** All texts of an archive that is collected on a CA with this registry. */
async function collected(
  t: TestContext,
  windows: FakeWindows,
  prepare: (configFile: string) => void = () => undefined,
): Promise<string> {
  const directory = temporaryDirectory(t);
  for (const name of ["journal", "state"]) mkdirSync(join(directory, name));
  const configFile = join(directory, "certwire.jsonc");
  const sinks = [{ name: "files", url: "file:events" }];
  const places = { journal: { directory: "journal" }, state: { directory: "state" } };
  writeFileSync(configFile, JSON.stringify({ ...places, sinks }));
  prepare(configFile);
  const diagnosis = await examine({ configFile, isOffline: true, timeoutMs: 60_000, windows });
  const zip = join(directory, "doctor.zip");
  const report = (findings: typeof diagnosis.findings) =>
    findings.map(({ seen, hint }) => `${seen}\n> ${hint}\n`).join("");
  await collect(zip, { diagnosis, report, configFile, keepsNames: false });
  return [...unzip(zip).values()].join("\n");
}

test("the names of CAs are blanked wherever they stand, although the active one has no configuration", async (t) => {
  const windows = new FakeWindows();
  windows.addCa("Fabrikam Root 7", []);
  windows.addCa("Fabrikam Sub 8", []);
  windows.set(configurationKey, "Active", singleText("Fabrikam Gone 9"));
  const text = await collected(t, windows);
  assert.doesNotMatch(text, /Fabrikam/i);
  assert.match(
    text,
    /the active CA "<ca-\d>" has no configuration\n> Name one with --ca: "<ca-\d>"/,
  );
});

test("the account of the service is blanked wherever it stands, in any form that Windows accepts", async (t) => {
  for (const account of [
    String.raw`fabrikam\svc-certwire`,
    String.raw`.\svc-certwire`,
    "svc-certwire@fabrikam.example",
  ]) {
    const windows = FakeWindows.withCa("CA-1", ["Certwire.Exit"]);
    const key = String.raw`SYSTEM\CurrentControlSet\Services\Certwire`;
    windows.set(key, "ObjectName", singleText(account));
    windows.set(key, "Start", { type: 4, data: Buffer.from([2, 0, 0, 0]) });
    windows.addService("Certwire", "running");
    const text = await collected(t, windows, (configFile) => {
      windows.set(key, "ImagePath", singleText(`certwire-service.exe --config "${configFile}"`));
    });
    assert.doesNotMatch(text, /fabrikam|svc-certwire/i);
    assert.match(text, /<user-\d+>.*, starts with Windows/);
  }
});
