import assert from "node:assert/strict";
import { test } from "node:test";
import {
  judgeDatabase,
  judgeServiceRight,
  readDatabaseRight,
} from "../../../src/doctor/ca-database.ts";
import type { Finding } from "../../../src/doctor/finding.ts";
import type { NativeCaFacts } from "../../../src/native/ca-database.ts";
import { caFacts, FakeCaDatabase } from "../../support/fake-ca-database.ts";
import { configurationKey, FakeWindows, singleText } from "../../support/fake-windows.ts";

function windowsWithCa(): FakeWindows {
  const windows = FakeWindows.withCa("Contoso", []);
  windows.set(`${configurationKey}\\Contoso`, "CAServerName", singleText("CA01"));
  windows.set(`${configurationKey}\\Contoso`, "CommonName", singleText("Contoso"));
  return windows;
}

async function judge(
  readFacts: () => Promise<NativeCaFacts>,
  windows = windowsWithCa(),
): Promise<Finding | undefined> {
  const native = new FakeCaDatabase();
  native.readFacts = readFacts;
  return judgeDatabase(await readDatabaseRight(windows, native, 5))[0];
}

function failing(hresult: number) {
  const call = "ICertAdmin2::GetMyRoles";
  return () => Promise.reject(Object.assign(new Error("failed"), { hresult, call }));
}

test("Read, or a role that implies it, is enough to read the database", async () => {
  for (const roles of [0x100, 1, 2, 0x301]) {
    const found = await judge(async () => ({ ...caFacts, roles }));
    assert.deepEqual([found?.state, found?.seen], ["ok", "this account may read CA01\\Contoso"]);
  }
});

test("an account that may not read is told the steps that grant Read, and nothing else", async () => {
  for (const roles of [0, 0x200, 4, 8]) {
    const found = await judge(async () => ({ ...caFacts, roles }));
    assert.deepEqual(
      [found?.state, found?.seen, found?.docs],
      ["warn", "this account may not read CA01\\Contoso", "how-to/reconcile-and-backfill.md"],
    );
    assert.match(found?.hint ?? "", /Security: add the account .* allow Read, and clear Request/);
  }
  const refused = await judge(failing(0x8007_0005));
  assert.equal(refused?.state, "warn");
  assert.match(refused.seen, /GetMyRoles: 0x80070005 E_ACCESSDENIED/);
});

test("where nothing can be known, the check is skipped and says why", async () => {
  const stopped = await judge(failing(0x8007_06ba));
  assert.deepEqual([stopped?.state, stopped?.hint], ["skipped", undefined]);
  assert.match(stopped?.seen ?? "", /0x800706ba/);
  const silent = await judge(() => new Promise(() => undefined));
  assert.equal(silent?.state, "skipped");
  const noCa = await judge(async () => caFacts, new FakeWindows());
  assert.deepEqual(
    [noCa?.state, noCa?.seen],
    ["skipped", "the registry has no configuration of a CA"],
  );
});

test("a schedule whose account may not read is an error with the steps, as the CA has answered the service", () => {
  const [refused] = judgeServiceRight({ running: false, mayRead: false });
  assert.deepEqual(
    [refused?.check, refused?.state, refused?.seen],
    [
      "ca-database-service",
      "error",
      "reconcile is configured, and the account of the service may not read the database",
    ],
  );
  assert.match(refused?.hint ?? "", /^In certsrv.msc, .*"NT SERVICE\\Certwire".* allow Read/);
  const [allowed] = judgeServiceRight({ running: false, mayRead: true });
  assert.equal(allowed?.state, "ok");
  for (const unknown of [undefined, { running: false }]) {
    const [skipped] = judgeServiceRight(unknown);
    assert.equal(skipped?.state, "skipped");
  }
});
