import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { SetupOptions } from "../../../src/cli/setup/options.ts";
import { planWindowsSteps } from "../../../src/cli/setup/windows-steps.ts";
import { FakeWindows } from "../../support/fake-windows.ts";
import { registerDll } from "../../support/registered-dll.ts";

const all = { start: true, enable: true, restartCa: true, timeout: 15 } as const;

function prepare(t: TestContext) {
  const windows = FakeWindows.withCa("CA-1", ["A.Exit"]);
  registerDll(t, windows);
  windows.addService("Certwire", "stopped");
  const written = t.mock.method(process.stderr, "write", () => true);
  const said = (): string => written.mock.calls.map(({ arguments: [text] }) => text).join("");
  const plan = (options: SetupOptions) =>
    planWindowsSteps(options, undefined, windows, String.raw`C:\certwire.jsonc`);
  return { windows, said, plan };
}

/** What was said to be left to do. */
function leftIn(said: string): string[] {
  const [, after_ = ""] = said.split("Left to do:\n");
  return after_.split("\n").filter((line) => line !== "");
}

test("steps that all succeed start the service, then enable the module, then restart the CA, and leave nothing", async (t) => {
  const { windows, said, plan } = prepare(t);
  const steps = await plan(all);
  await steps.run();
  assert.deepEqual(windows.calls, [
    "start Certwire",
    "write Active",
    "stop CertSvc",
    "start CertSvc",
  ]);
  assert.deepEqual(steps.left(), []);
  assert.doesNotMatch(said(), /Left to do/);
});

test("steps that were not asked for are left to do", async (t) => {
  const { windows, plan } = prepare(t);
  const steps = await plan({ timeout: 15 });
  await steps.run();
  assert.deepEqual(windows.calls, []);
  assert.deepEqual(steps.left(), ["sc.exe start Certwire", "certwire ca enable --restart"]);
  const enabled = await plan({ enable: true, timeout: 15 });
  await enabled.run();
  assert.deepEqual(windows.calls, ["write Active"]);
  assert.deepEqual(enabled.left(), ["sc.exe start Certwire", "certwire ca enable --restart"]);
});

test("a service that does not start ends the setup, which lists all that is left", async (t) => {
  const { windows, said, plan } = prepare(t);
  Object.assign(windows.service("Certwire"), { windowsError: 1069, next: [1, 1, 1, 2, 1] });
  const steps = await plan(all);
  await assert.rejects(steps.run(), {
    code: "CERTWIRE_SERVICE_STATE",
    message: "the service Certwire stopped again at its start: Windows error 1069",
  });
  assert.deepEqual(windows.calls, ["start Certwire"]);
  assert.deepEqual(leftIn(said()), ["  sc.exe start Certwire", "  certwire ca enable --restart"]);
});

test("a list that cannot be written, or a CA that does not start, leaves only what comes after the service", async (t) => {
  const { windows, said, plan } = prepare(t);
  windows.failWrite = 5;
  await assert.rejects((await plan(all)).run(), { code: "CERTWIRE_WINDOWS_ACCESS" });
  assert.deepEqual(leftIn(said()), ["  certwire ca enable --restart"]);
  windows.failWrite = undefined;
  const steps = await plan({ enable: true, restartCa: true, timeout: 15 });
  Object.assign(windows.service("CertSvc"), { windowsError: 1053, next: [4, 4, 1, 1, 2, 1] });
  await assert.rejects(steps.run(), {
    code: "CERTWIRE_SERVICE_STATE",
    hint: /certwire ca disable, then net start "CertSvc"\.$/,
  });
  assert.deepEqual(steps.left(), ["sc.exe start Certwire", "certwire ca enable --restart"]);
});
