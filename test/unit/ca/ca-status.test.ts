import assert from "node:assert/strict";
import { test } from "node:test";
import { dllIsNewer, readCaStatus } from "../../../src/ca/ca-status.ts";
import { planDisable } from "../../../src/ca/change-list.ts";
import { restartService } from "../../../src/ca/control-service.ts";
import { defaultExit } from "../../../src/ca/exit-modules.ts";
import { caStatusLines } from "../../../src/cli/actions/ca-status.ts";
import {
  configurationKey,
  FakeWindows,
  fakeClsid,
  singleText,
} from "../../support/fake-windows.ts";
import { TestClock } from "../../support/test-clock.ts";

test("a status shows the list in its order, the registration and the service, and changes nothing", () => {
  const windows = FakeWindows.withCa("CA-1", ["A.Exit", "Certwire.Exit"]);
  windows.register("C:\\none\\certwire-exit.dll");
  windows.addService("CertSvc", "running");
  const found = readCaStatus(windows);
  assert.deepEqual([found.ca, found.isActive, found.isEnabled], ["CA-1", true, true]);
  assert.deepEqual(found.exitModules, ["A.Exit", "Certwire.Exit"]);
  assert.deepEqual(
    [found.registration.clsid, found.registration.dll, found.service],
    [fakeClsid, "C:\\none\\certwire-exit.dll", "running"],
  );
  assert.equal(found.warnings.length, 2, found.warnings.join("\n"));
  assert.match(found.warnings[0] ?? "", /the DLL is missing/);
  assert.match(
    found.warnings[1] ?? "",
    /the list lacks CertificateAuthority_MicrosoftDefault\.Exit/,
  );
  assert.deepEqual(windows.calls, []);
});

test("a list that changed after the start of the CA needs a restart, until that", async () => {
  const windows = FakeWindows.withCa("CA-1", [defaultExit, "Certwire.Exit"]);
  assert.equal(readCaStatus(windows).isRestartNeeded, false);
  const plan = planDisable(windows);
  assert.equal(plan.isRestartNeeded, true, "it will be");
  plan.apply();
  const found = readCaStatus(windows);
  assert.equal(found.isRestartNeeded, true);
  assert.match(found.warnings.join("\n"), /CertSvc started before its list of exit modules/);
  assert.equal(planDisable(windows).isRestartNeeded, true, "it still is");
  await restartService(windows, "CertSvc", { limitMs: 60_000, clock: new TestClock() });
  assert.equal(readCaStatus(windows).isRestartNeeded, false);
  assert.equal(planDisable(windows).isRestartNeeded, false);
});

test("a DLL that was registered, or a setting that was made, after the start of the CA needs a restart too", () => {
  const start = (): FakeWindows => {
    const windows = FakeWindows.withCa("CA-1", [defaultExit, "Certwire.Exit"]);
    windows.register("C:\\1.0.0\\certwire-exit.dll");
    windows.addService("CertSvc", "running");
    assert.equal(readCaStatus(windows).isRestartNeeded, false);
    return windows;
  };
  const upgraded = start();
  upgraded.register("C:\\1.1.0\\certwire-exit.dll");
  assert.equal(readCaStatus(upgraded).isRestartNeeded, true);
  assert.ok(readCaStatus(upgraded).warnings.includes(dllIsNewer));
  const changed = start();
  const key = `${configurationKey}\\CA-1\\ExitModules\\Certwire.Exit`;
  changed.set(key, "JournalDirectory", singleText("D:\\journal"));
  assert.match(readCaStatus(changed).warnings.join("\n"), /or the settings of Certwire\.Exit/);
  const unlisted = FakeWindows.withCa("CA-1", [defaultExit]);
  unlisted.register("C:\\1.1.0\\certwire-exit.dll");
  assert.equal(readCaStatus(unlisted).isRestartNeeded, false, "the CA does not load it");
  assert.equal(planDisable(unlisted).isRestartNeeded, false);
});

test("a CA that does not run, or is not the active one, needs no restart", () => {
  const windows = FakeWindows.withCa("CA-1", ["Certwire.Exit"]);
  windows.addCa("CA-2", ["Certwire.Exit"]);
  assert.equal(planDisable(windows, "CA-2").isRestartNeeded, false);
  assert.equal(readCaStatus(windows, "CA-2").isRestartNeeded, false);
  windows.addService("CertSvc", "stopped");
  assert.equal(planDisable(windows).isRestartNeeded, false);
});

test("a CA that is not the active one, without a service and a registration, is shown with warnings", () => {
  const windows = new FakeWindows();
  windows.addCa("CA-2", []);
  windows.set(configurationKey, "Active", singleText("CA-1"));
  const lines = caStatusLines(readCaStatus(windows, "CA-2")).join("\n");
  for (const part of [
    /^CA +CA-2, not the active one$/m,
    /^exit modules +none$/m,
    /^Certwire +not in the list$/m,
    /^class +not registered$/m,
    /^service +CertSvc, not installed$/m,
    /^warning: the class Certwire\.Exit is not registered$/m,
    /^warning: the service CertSvc does not run this CA$/m,
  ]) {
    assert.match(lines, part);
  }
});

test("a name in the registry that a terminal would act on is shown, not obeyed", () => {
  const windows = FakeWindows.withCa("CA-1", ["Bad\u001B[31m\u202EExit\n"]);
  const lines = caStatusLines(readCaStatus(windows)).join("\n");
  for (const active of ["\u001B", "\u202E"]) assert.ok(!lines.includes(active));
});
