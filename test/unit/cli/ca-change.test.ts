import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { planDisable, planEnable } from "../../../src/ca/change-list.ts";
import { changeList, restartCa } from "../../../src/cli/actions/ca-change.ts";
import { FakeWindows } from "../../support/fake-windows.ts";
import { registerDll } from "../../support/registered-dll.ts";
import { TestClock } from "../../support/test-clock.ts";

function prepare(t: TestContext, modules: readonly string[]) {
  const windows = FakeWindows.withCa("CA-1", modules);
  registerDll(t, windows);
  const written = t.mock.method(process.stderr, "write", () => true);
  const said = (): string => written.mock.calls.map(({ arguments: [text] }) => text).join("");
  return { windows, said, options: { limitMs: 120_000, clock: new TestClock() } };
}

test("--restart for a CA that is not the active one is refused before anything is written or stopped", async (t) => {
  const { windows } = prepare(t, ["A.Exit"]);
  windows.addCa("Old-CA", ["A.Exit", "Certwire.Exit"]);
  for (const dryRun of [{}, { dryRun: true }] as const) {
    const plan = planDisable(windows, "old-ca");
    await assert.rejects(changeList(windows, plan, { restart: true, timeout: 120, ...dryRun }), {
      code: "CERTWIRE_USAGE",
      message: '--restart would restart the active CA, and "Old-CA" is another one',
    });
  }
  assert.deepEqual(windows.calls, []);
});

test("a CA that does not start with our module is an error that says how to start it without", async (t) => {
  const { windows, options } = prepare(t, ["A.Exit"]);
  const plan = planEnable(windows);
  plan.apply();
  Object.assign(windows.service("CertSvc"), { next: [4, 1, 1, 2, 1], windowsError: 1053 });
  await assert.rejects(restartCa(windows, plan, options), {
    code: "CERTWIRE_SERVICE_STATE",
    hint: /To start: net start "CertSvc"\. If it does not start with Certwire\.Exit: certwire ca disable, then net start "CertSvc"\.$/,
  });
});

test("a CA that does not start after our module was taken out is not said to start without it", async (t) => {
  const { windows, options } = prepare(t, ["A.Exit", "Certwire.Exit"]);
  const plan = planDisable(windows);
  Object.assign(windows.service("CertSvc"), { next: [4, 1, 1, 2, 1], windowsError: 1053 });
  await assert.rejects(restartCa(windows, plan, options), {
    hint: /Stopped now: CertSvc\. To start: net start "CertSvc"\.$/,
  });
});

test("no signal ends the command while the CA is between its stop and its start", async (t) => {
  const { windows, said, options } = prepare(t, ["A.Exit"]);
  const signals = ["SIGINT", "SIGBREAK", "SIGHUP", "SIGTERM"] as const;
  const before = signals.map((signal) => process.listeners(signal));
  let isSent = false;
  const stop = windows.stopService.bind(windows);
  windows.stopService = async (name) => {
    await stop(name);
    for (const [index, signal] of signals.entries()) {
      const added = process.listeners(signal).filter((each) => !before[index]?.includes(each));
      assert.equal(added.length, 1, signal);
      for (const listener of added) listener(signal);
    }
    isSent = true;
  };
  await restartCa(windows, planEnable(windows), options);
  assert.ok(isSent);
  assert.deepEqual(windows.calls, ["stop CertSvc", "start CertSvc"]);
  assert.equal(said().match(/CertSvc is being restarted, please wait/g)?.length, signals.length);
  assert.deepEqual(
    signals.map((signal) => process.listeners(signal)),
    before,
  );
});
