import assert from "node:assert/strict";
import { test } from "node:test";
import { serviceSetup } from "../../../src/ca/service-setup.ts";
import {
  judgeService,
  type ServiceLinkFacts,
  type WindowsServiceFacts,
} from "../../../src/doctor/service.ts";
import { windowsService } from "../../../src/doctor/windows-service.ts";
import { assessHealth } from "../../../src/health/health.ts";
import { FakeWindows, singleText } from "../../support/fake-windows.ts";

const setup = {
  account: String.raw`NT SERVICE\Certwire`,
  start: 2,
  commandLine: String.raw`"C:\Program Files\Certwire\1.2.0\certwire-service.exe" --service`,
};
const windows: WindowsServiceFacts = {
  setup,
  state: "running",
  specificError: 0,
  version: "1.2.0",
};
const good: ServiceLinkFacts = {
  lock: { state: "running", pid: 7, host: "ca1", startedTime: "2026-06-15T11:00:00.000Z" },
  windows,
  configFile: String.raw`C:\ProgramData\Certwire\config\certwire.jsonc`,
  stateDirectory: String.raw`C:\ProgramData\Certwire\state`,
  isStateReadableByOthers: false,
};

function bad(facts: Partial<ServiceLinkFacts>): string[] {
  const lock = facts.lock ?? good.lock;
  const { reasons } = assessHealth({ service: lock.state, sinks: [] }, 0);
  return judgeService({ ...good, ...facts }, reasons, "1.2.0")
    .filter(({ state }) => state !== "ok")
    .map(({ check, state }) => `${check} ${state}`);
}

test("a service that runs under its own account is ok in every check", () => {
  assert.deepEqual(bad({}), []);
});

test("a service that is not installed is an error, and a warning if it runs without Windows", () => {
  const none = { windows: { specificError: 0 } };
  assert.deepEqual(bad(none), ["service-running warn", "service-account skipped"]);
  assert.deepEqual(bad({ ...none, lock: { state: "stopped" } }), [
    "service-running error",
    "service-running error",
    "service-account skipped",
  ]);
});

test("a service that Windows sees and whose program is gone is an error", () => {
  const lock = { state: "stopped" } as const;
  assert.deepEqual(bad({ lock }), ["service-running error", "service-running error"]);
  const ended = { ...windows, state: "stopped" as const, specificError: 78 };
  const found = judgeService({ ...good, lock, windows: ended }, [], "1.2.0");
  assert.match(found[0]?.seen ?? "", /stopped, its program ended with exit code 78/);
});

test("LocalSystem, a service that does not start by itself and another version are warnings", () => {
  for (const other of [
    { ...windows, setup: { ...setup, account: "LocalSystem" } },
    { ...windows, setup: { ...setup, account: "" } },
    { ...windows, setup: { ...setup, start: 3 } },
    { ...windows, setup: { ...setup, start: 4 } },
    { ...windows, version: "1.1.0" },
    { ...windows, setup: { ...setup, commandLine: `${setup.commandLine} --config "D:\\c.jsonc"` } },
  ]) {
    assert.deepEqual(bad({ windows: other }), ["service-account warn"], JSON.stringify(other));
  }
  const same = `${setup.commandLine} "--config" "c:${good.configFile.slice(2)}"`;
  assert.deepEqual(bad({ windows: { ...windows, setup: { ...setup, commandLine: same } } }), []);
  const elsewhere = { configFile: String.raw`D:\other.jsonc` };
  assert.deepEqual(bad(elsewhere), ["service-account warn"], "the service reads the default");
  const managed = { ...windows, setup: { ...setup, account: String.raw`CORP\gmsa$` } };
  assert.deepEqual(bad({ windows: managed }), []);
});

test("a state directory that cannot be written is an error, one that others may read a warning", () => {
  assert.deepEqual(bad({ stateError: "EACCES" }), ["state-directory error"]);
  assert.deepEqual(bad({ isStateReadableByOthers: true }), ["state-directory warn"]);
});

test("on another system than Windows the account is skipped, and an unseen lock too", () => {
  const { windows: _, ...elsewhere } = good;
  const lock = { state: "unknown" } as const;
  const found = judgeService({ ...elsewhere, lock }, [], "1.2.0");
  assert.deepEqual(
    found.map(({ state }) => state),
    ["skipped", "skipped", "ok"],
  );
});

test("how Windows has the service is read from the registry and the service manager", () => {
  const fake = new FakeWindows();
  assert.deepEqual(windowsService(fake), { specificError: 0 });
  const key = String.raw`SYSTEM\CurrentControlSet\Services\Certwire`;
  fake.set(key, "ImagePath", singleText(setup.commandLine));
  fake.set(key, "ObjectName", singleText(setup.account));
  fake.set(key, "Start", { type: 4, data: Buffer.from([2, 0, 0, 0]) });
  fake.addService("Certwire", "running");
  assert.deepEqual(serviceSetup(fake, "Certwire"), setup);
  assert.deepEqual(windowsService(fake), { setup, state: "running", specificError: 0 });
});
