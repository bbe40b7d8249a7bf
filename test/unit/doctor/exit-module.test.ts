import assert from "node:assert/strict";
import { test } from "node:test";
import { type CaStatus, dllIsNewer } from "../../../src/ca/ca-status.ts";
import {
  type ExitModuleFacts,
  exitModuleFacts,
  judgeExitModule,
} from "../../../src/doctor/exit-module.ts";
import type { Finding } from "../../../src/doctor/finding.ts";
import { configurationKey, FakeWindows, singleText } from "../../support/fake-windows.ts";

const noSignature = 0x800b0100;
const dll = String.raw`C:\Program Files\Certwire\1.2.0\certwire-exit.dll`;
const ca: CaStatus = {
  ca: "Corp-CA",
  isActive: true,
  exitModules: ["CertificateAuthority_MicrosoftDefault.Exit", "Certwire.Exit"],
  isEnabled: true,
  registration: { clsid: "{1}", dll, machine: "x64", problems: [] },
  service: "running",
  isRestartNeeded: false,
  warnings: [],
};
const good: ExitModuleFacts = {
  caNames: ["Corp-CA"],
  ca,
  dllVersion: "1.2.0",
  signatures: { dll: noSignature, own: noSignature },
  caStartedMs: 1000,
};
/** When the module began to write: after the CA was started. */
const writing = 2000;

function judge(facts: Partial<ExitModuleFacts>, startedMs = writing, version = "1.2.0") {
  return judgeExitModule({ ...good, ...facts }, startedMs, version);
}

function statesOf(found: readonly Finding[]): Record<string, string> {
  return Object.fromEntries(found.map(({ check, state }) => [check, state]));
}

const allOk = {
  "module-registered": "ok",
  "module-version": "ok",
  "module-signature": "ok",
  "module-enabled": "ok",
  "module-loaded": "ok",
};

test("a module that is registered, enabled, loaded and of this version is ok in every check", () => {
  assert.deepEqual(statesOf(judge({})), allOk);
  assert.deepEqual(statesOf(judge({}, writing, "1.2.0-rc.1")), allOk);
});

test("an older DLL is a warning, a newer one an error: the service could not read its records", () => {
  const older = judge({ dllVersion: "1.1.9" });
  assert.deepEqual(statesOf(older), { ...allOk, "module-version": "warn" });
  const newer = judge({ dllVersion: "1.10.0" });
  assert.deepEqual(statesOf(newer), { ...allOk, "module-version": "error" });
  assert.match(newer[1]?.hint ?? "", /^Update the service/);
  const none: ExitModuleFacts = {
    caNames: [],
    ca,
    signatures: { dll: noSignature, own: noSignature },
  };
  assert.equal(statesOf(judgeExitModule(none, writing, "1.2.0"))["module-version"], "warn");
});

test("a changed DLL is an error, an untrusted signer a warning, and unsigned is as good as the rest", () => {
  const state = (dllAnswer: number, own: number) =>
    statesOf(judge({ signatures: { dll: dllAnswer, own } }))["module-signature"];
  assert.equal(state(0, 0), "ok");
  assert.equal(state(noSignature, noSignature), "ok");
  assert.equal(state(noSignature, 0), "error");
  assert.equal(state(0x80096010 | 0, 0), "error");
  assert.equal(state(0x800b0109, 0x800b0109), "warn");
});

test("a module that is not in the list, or whose CA is stopped, has a command that helps", () => {
  const absent = judge({ ca: { ...ca, isEnabled: false, exitModules: ["Other.Exit"] } }, 0);
  assert.deepEqual(
    absent.filter(({ state }) => state === "error").map(({ check, hint }) => [check, hint]),
    [
      ["module-enabled", "Run certwire ca enable, then restart the CA."],
      ["module-loaded", "Run certwire ca enable --restart."],
    ],
  );
  const stopped = judge({ ca: { ...ca, service: "stopped" } });
  assert.equal(statesOf(stopped)["module-enabled"], "error");
  assert.equal(statesOf(stopped)["module-loaded"], "skipped");
});

test("a module that has begun no epoch since the CA was started was not loaded", () => {
  assert.equal(statesOf(judge({}, 999))["module-loaded"], "error");
  assert.equal(statesOf(judgeExitModule(good, undefined, "1.2.0"))["module-loaded"], "error");
});

test("a DLL that was registered after the CA was started is a warning, said once, with the restart", () => {
  const found = judge({ ca: { ...ca, isRestartNeeded: true, warnings: [dllIsNewer] } });
  assert.deepEqual(statesOf(found), { ...allOk, "module-loaded": "warn" });
  const [loaded] = found.filter(({ check }) => check === "module-loaded");
  assert.equal(loaded?.seen, dllIsNewer);
  assert.match(loaded.hint ?? "", /certwire ca enable --restart/);
  assert.equal(found.filter(({ seen }) => seen === dllIsNewer).length, 1);
});

test("without a registration version and signature are skipped, and what is wrong is said once", () => {
  const problems = ["the class Certwire.Exit is not registered"];
  const found = judge({ ca: { ...ca, registration: { problems }, warnings: problems } });
  assert.deepEqual(statesOf(found), {
    ...allOk,
    "module-registered": "error",
    "module-version": "skipped",
    "module-signature": "skipped",
  });
});

test("a machine without a CA has one error, with what to do", () => {
  const facts = exitModuleFacts(new FakeWindows());
  const found = judgeExitModule(facts, undefined, "1.2.0");
  const errors = found.filter(({ state }) => state === "error");
  assert.deepEqual(
    errors.map(({ seen, hint }) => [seen, hint]),
    [["the registry has no configuration of a CA", "Run the command on the CA."]],
  );
});

test("where the module writes is read from the registry, with variables of the environment", (t) => {
  const before = process.env["CERTWIRE_TEST_DRIVE"];
  process.env["CERTWIRE_TEST_DRIVE"] = "E:";
  t.after(() => {
    if (before === undefined) delete process.env["CERTWIRE_TEST_DRIVE"];
  });
  const windows = FakeWindows.withCa("Corp-CA", ["Certwire.Exit"]);
  windows.service("CertSvc").startedMs = 5000;
  const key = `${configurationKey}\\Corp-CA\\ExitModules\\Certwire.Exit`;
  windows.set(key, "JournalDirectory", singleText(String.raw`%CERTWIRE_TEST_DRIVE%\journal`));
  const facts = exitModuleFacts(windows);
  assert.equal(facts.journalDirectory, String.raw`E:\journal`);
  assert.equal(facts.caStartedMs, 5000);
  assert.equal(facts.ca?.isEnabled, true);
});
