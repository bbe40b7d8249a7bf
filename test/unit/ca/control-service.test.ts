import assert from "node:assert/strict";
import { test } from "node:test";
import { restartService, serviceState } from "../../../src/ca/control-service.ts";
import { FakeWindows, windowsError } from "../../support/fake-windows.ts";
import { TestClock } from "../../support/test-clock.ts";

const limitMs = 120_000;

/** Options with a clock of their own. */
function withClock() {
  return { limitMs, clock: new TestClock() };
}

/** States of a service that stays on its way. */
const starting = Array.from({ length: 10_000 }, () => 2);
const stopping = Array.from({ length: 10_000 }, () => 3);

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
  await restartService(windows, "CertSvc", { ...withClock(), onStep: (text) => steps.push(text) });
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
  const steps: string[] = [];
  await restartService(windows, "CertSvc", { ...withClock(), onStep: (text) => steps.push(text) });
  assert.deepEqual(windows.calls, ["start CertSvc"]);
  assert.deepEqual(steps, ["CertSvc is being started"]);
});

test("a service that is just starting is stopped once it has started", async () => {
  const windows = new FakeWindows();
  windows.addService("CertSvc", "running");
  windows.service("CertSvc").next = [2, 2, 4];
  await restartService(windows, "CertSvc", withClock());
  assert.deepEqual(windows.calls, ["stop CertSvc", "start CertSvc"]);
});

test("a service that does not stop in time is an error with its state, and the hint starts it once it has stopped", async () => {
  const windows = withDependents();
  windows.service("CertSvc").next = [4, ...stopping];
  const options = withClock();
  await assert.rejects(restartService(windows, "CertSvc", options), {
    code: "CERTWIRE_SERVICE_STATE",
    exitCode: 69,
    message: "the service CertSvc did not stop within 120 s; its state is stopping",
    hint: /Stopped now: First, Second\. CertSvc is still stopping, and nothing starts it again\. Once it has stopped: net start "CertSvc", then net start "First", then net start "Second"\.$/,
  });
  assert.deepEqual(windows.calls, ["stop Second", "stop First", "stop CertSvc"]);
  assert.ok(options.clock.ms >= limitMs);
});

test("a service that was asked to stop and still says that it runs is started once it has stopped, too", async () => {
  const windows = new FakeWindows();
  windows.addService("CertSvc", "running");
  windows.service("CertSvc").next = Array.from({ length: 10_000 }, () => 4);
  await assert.rejects(restartService(windows, "CertSvc", withClock()), {
    message: "the service CertSvc did not stop within 120 s; its state is running",
    hint: /nothing starts it again\. Once it has stopped: net start "CertSvc"\.$/,
  });
});

test("a service that somebody else stops, and that does not end in time, has the hint as well", async () => {
  const windows = new FakeWindows();
  windows.addService("CertSvc", "running");
  windows.service("CertSvc").next = [...stopping];
  await assert.rejects(restartService(windows, "CertSvc", withClock()), {
    hint: /Once it has stopped: net start "CertSvc"\.$/,
  });
  assert.deepEqual(windows.calls, []);
});

test("a dependent that does not stop in time leaves the service running, and the hint starts only dependents", async () => {
  const windows = withDependents();
  windows.service("First").next = [4, ...stopping];
  await assert.rejects(restartService(windows, "CertSvc", withClock()), {
    hint: /Stopped now: Second\. First is still stopping.* Once it has stopped: net start "First", then net start "Second"\.$/,
  });
  assert.equal(serviceState(windows, "CertSvc"), "running");
});

test("a service that Windows did not hear from in time after it was asked to stop is waited for", async () => {
  const windows = new FakeWindows();
  windows.addService("CertSvc", "running");
  const stop = windows.stopService.bind(windows);
  windows.stopService = async (name) => {
    await stop(name);
    throw windowsError(1053);
  };
  await restartService(windows, "CertSvc", withClock());
  assert.deepEqual(windows.calls, ["stop CertSvc", "start CertSvc"]);
});

test("a service that does not start in time is not called stopped, and the hint starts its dependents after it", async () => {
  const windows = withDependents();
  windows.service("CertSvc").next = [4, 1, 1, ...starting];
  await assert.rejects(restartService(windows, "CertSvc", withClock()), {
    message: "the service CertSvc did not start within 120 s; its state is starting",
    hint: /Stopped now: First, Second\. Once CertSvc runs: net start "First", then net start "Second"\.$/,
  });
});

test("a start that takes the whole time and succeeds is not an error", async () => {
  const windows = new FakeWindows();
  windows.addService("CertSvc", "stopped");
  const options = withClock();
  const start = windows.startService.bind(windows);
  windows.startService = async (name) => {
    windows.service(name).next = [4];
    await start(name);
    options.clock.ms += 2 * limitMs;
  };
  await restartService(windows, "CertSvc", options);
  assert.equal(serviceState(windows, "CertSvc"), "running");
});

test("only if the service itself does not start, the hint has what to do then", async () => {
  const ifNotStarted = "Take it out.";
  const ends = withDependents();
  ends.service("CertSvc").next = [4, 1, 1, 2, 1];
  await assert.rejects(restartService(ends, "CertSvc", { ...withClock(), ifNotStarted }), {
    hint: /Stopped now: CertSvc, First, Second\. To start: .*"Second"\. Take it out\.$/,
  });
  for (const [name, next] of [
    ["CertSvc", [4, ...stopping]],
    ["First", [4, 1, 1, 2, 1]],
  ] as const) {
    const windows = withDependents();
    windows.service(name).next = [...next];
    await assert.rejects(restartService(windows, "CertSvc", { ...withClock(), ifNotStarted }), {
      hint: /net start "[A-Za-z]+"\.$/,
    });
  }
});

test("a service that ends at its start is an error with its number, and the hint starts it", async () => {
  const windows = new FakeWindows();
  windows.addService("CertSvc", "stopped");
  Object.assign(windows.service("CertSvc"), { next: [1, 1, 2, 1], windowsError: 1053 });
  await assert.rejects(restartService(windows, "CertSvc", withClock()), {
    message: "the service CertSvc stopped again at its start: Windows error 1053",
  });
  windows.addService("CertSvc", "running");
  const service = windows.service("CertSvc");
  Object.assign(service, { next: [4, 1, 1, 2, 1], windowsError: 1066, specificError: 78 });
  await assert.rejects(restartService(windows, "CertSvc", withClock()), {
    message: "the service CertSvc stopped again at its start: its error 78",
    hint: /Stopped now: CertSvc\. To start: net start "CertSvc"\.$/,
  });
});

test("a refusal that passes is tried again, another one is an error", async () => {
  const windows = new FakeWindows();
  windows.addService("CertSvc", "stopped");
  windows.failControl = 1056;
  const options = withClock();
  options.clock.onWait = () => {
    if (options.clock.ms > 10_000) windows.failControl = undefined;
  };
  await restartService(windows, "CertSvc", options);
  assert.deepEqual(windows.calls, ["start CertSvc"]);
  windows.failControl = 5;
  await assert.rejects(restartService(windows, "CertSvc", withClock()), {
    code: "CERTWIRE_WINDOWS_ACCESS",
    message: "the service CertSvc cannot be stopped: Windows error 5",
  });
});

test("a refusal that does not pass within the limit is an error with the state", async () => {
  const windows = new FakeWindows();
  windows.addService("CertSvc", "running");
  windows.failControl = 1061;
  const error = await restartService(windows, "CertSvc", withClock()).catch((caught) => caught);
  assert.equal(
    error.message,
    "the service CertSvc did not stop within 120 s; its state is running",
  );
  assert.doesNotMatch(error.hint, /net start/);
});

test("a service that is not installed is an error of Windows with its number", async () => {
  await assert.rejects(restartService(new FakeWindows(), "CertSvc", withClock()), {
    code: "CERTWIRE_WINDOWS_FAILED",
    message: /Windows error 1060$/,
  });
});
