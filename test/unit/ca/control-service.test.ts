import assert from "node:assert/strict";
import { test } from "node:test";
import { restartService, serviceState } from "../../../src/ca/control-service.ts";
import { FakeWindows } from "../../support/fake-windows.ts";

const options = { limitMs: 600_000, everyMs: 1 };

function withDependents(): FakeWindows {
  const windows = new FakeWindows();
  windows.addService("First", "running");
  windows.addService("Second", "running");
  windows.addService("Idle", "stopped");
  windows.addService("CertSvc", "running", ["Second", "First", "Idle"]);
  return windows;
}

test("a restart stops what depends on the service first, and starts it again last", async () => {
  const windows = withDependents();
  const steps: string[] = [];
  await restartService(windows, "CertSvc", { ...options, onStep: (text) => steps.push(text) });
  assert.deepEqual(windows.calls, [
    "stop Second",
    "stop First",
    "stop CertSvc",
    "start CertSvc",
    "start First",
    "start Second",
  ]);
  assert.equal(steps.length, windows.calls.length);
  assert.deepEqual(
    ["CertSvc", "First", "Second", "Idle"].map((name) => serviceState(windows, name)),
    ["running", "running", "running", "stopped"],
  );
});

test("a restart of a stopped service starts it", async () => {
  const windows = new FakeWindows();
  windows.addService("CertSvc", "stopped");
  await restartService(windows, "CertSvc", options);
  assert.deepEqual(windows.calls, ["start CertSvc"]);
});

test("a service that is just starting is stopped once it has started", async () => {
  const windows = new FakeWindows();
  windows.addService("CertSvc", "running");
  windows.service("CertSvc").next = [2, 2, 4];
  await restartService(windows, "CertSvc", options);
  assert.deepEqual(windows.calls, ["stop CertSvc", "start CertSvc"]);
});

test("a service that does not stop within the limit is an error that says its state and what is stopped", async () => {
  const windows = withDependents();
  windows.service("CertSvc").next = Array.from({ length: 10_000 }, () => 3);
  await assert.rejects(restartService(windows, "CertSvc", { limitMs: 20, everyMs: 1 }), {
    code: "CERTWIRE_SERVICE_STATE",
    exitCode: 69,
    message: /^the service CertSvc has not stopped in 0\.02 s, it is stopping$/,
    hint: /Stopped now: First, Second\. To start: net start "First", then net start "Second"\.$/,
  });
  assert.ok(!windows.calls.includes("start CertSvc"));
});

test("a service that ends at its start is an error with its number, and the hint starts it", async () => {
  const windows = new FakeWindows();
  windows.addService("CertSvc", "stopped");
  Object.assign(windows.service("CertSvc"), { next: [1, 1, 2, 1], windowsError: 1053 });
  await assert.rejects(restartService(windows, "CertSvc", options), {
    message: "the service CertSvc stopped again at its start: Windows error 1053",
  });
  windows.addService("CertSvc", "running");
  const service = windows.service("CertSvc");
  Object.assign(service, { next: [4, 1, 1, 2, 1], windowsError: 1066, specificError: 78 });
  await assert.rejects(restartService(windows, "CertSvc", options), {
    message: "the service CertSvc stopped again at its start: its error 78",
    hint: /Stopped now: CertSvc\. To start: net start "CertSvc"\.$/,
  });
});

test("a refusal that passes is tried again, another one is an error", async () => {
  const windows = new FakeWindows();
  windows.addService("CertSvc", "stopped");
  windows.failControl = 1056;
  const restarting = restartService(windows, "CertSvc", {
    ...options,
    onStep: (text) => {
      if (text.endsWith("started")) setTimeout(() => (windows.failControl = undefined), 10);
    },
  });
  await restarting;
  assert.deepEqual(windows.calls, ["start CertSvc"]);
  windows.failControl = 5;
  await assert.rejects(restartService(windows, "CertSvc", options), {
    code: "CERTWIRE_WINDOWS_ACCESS",
    message: "the service CertSvc cannot be stopped: Windows error 5",
  });
});

test("a service that is not installed is an error of Windows with its number", async () => {
  await assert.rejects(restartService(new FakeWindows(), "CertSvc", options), {
    code: "CERTWIRE_WINDOWS_FAILED",
    message: /Windows error 1060$/,
  });
});
