// certwire-service.exe under the service control manager of Wine, with a played service in its job.
import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { CommandError } from "../integration/support/run-command.ts";
import { until } from "../support/until.ts";
import {
  HostDirectory,
  type PlayedService,
  processIn,
  RegisteredService,
  serviceHost,
} from "./support/host-service.ts";
import { prepareWine, runWine, startWine, windowsPath } from "./support/wine.ts";

/** The service with a played program; undefined without Wine. */
async function registered(t: TestContext, played: PlayedService, ...options: readonly string[]) {
  if (!(await prepareWine(t))) return undefined;
  const directory = new HostDirectory(played);
  const service = await RegisteredService.create(t, await directory.options(...options));
  return { directory, service };
}

test("a service starts its program with the right arguments and stops it by the end of its input", async (t) => {
  const found = await registered(t, {});
  if (found === undefined) return;
  const { directory, service } = found;
  await service.start();
  const [line] = await directory.linesWith("arguments");
  assert.deepEqual(line?.arguments?.slice(1), [
    "run",
    "--config",
    windowsPath(directory.config),
    "--stop-on-stdin-end",
  ]);
  assert.deepEqual(await service.stop(), { state: "STOPPED", windowsError: 0, exitCode: 0 });
  const messages = directory.lines().map(({ msg }) => msg);
  assert.deepEqual(messages, [
    "service host started",
    "program started",
    "arguments",
    "started",
    "stopping the program",
    "stopped",
    "program ended",
    "service host stopped",
  ]);
  assert.deepEqual(directory.logFiles(), ["service-000001.log"]);
});

for (const exitCode of [2, 78]) {
  test(`a program that ends with ${exitCode} stops the service, which shows that code`, async (t) => {
    const found = await registered(t, { exitCode });
    if (found === undefined) return;
    const { directory, service } = found;
    await service.begin();
    await directory.linesWith("service host stopped");
    const state = await service.untilState("STOPPED");
    assert.deepEqual(state, { state: "STOPPED", windowsError: 1066, exitCode });
    assert.equal((await directory.linesWith("program started")).length, 1);
  });
}

test("a program that ends otherwise is started again, later each time, and a stop need not wait", async (t) => {
  const found = await registered(t, { exitCode: 70 });
  if (found === undefined) return;
  const { directory, service } = found;
  await service.begin();
  const waits = await directory.linesWith("the program is started again", 3);
  assert.deepEqual(
    waits.slice(0, 3).map(({ delayMs }) => delayMs),
    [1_000, 2_000, 4_000],
  );
  assert.equal((await service.untilState("RUNNING")).exitCode, 0);
  assert.deepEqual(await service.stop(), { state: "STOPPED", windowsError: 0, exitCode: 0 });
});

test("a program that does not stop in time is terminated", async (t) => {
  const found = await registered(t, { isDeaf: true }, "--stop-seconds", "1");
  if (found === undefined) return;
  const { directory, service } = found;
  await service.start();
  assert.deepEqual(await service.stop(), { state: "STOPPED", windowsError: 0, exitCode: 0 });
  await directory.linesWith("the program did not end in time and is terminated");
  assert.equal((await directory.linesWith("program ended"))[0]?.exitCode, 70);
  assert.equal(processIn(directory, "node.exe"), undefined);
});

test("the log goes on in a new file, and only the newest files are kept", async (t) => {
  const lines = 3_500;
  const limits = ["--log-megabytes", "1", "--log-files", "2"];
  const found = await registered(t, { lines }, ...limits);
  if (found === undefined) return;
  const { directory, service } = found;
  await service.start();
  await until(() => directory.logText().includes(`"at":${lines - 1},`), "all lines are written");
  await service.stop();
  assert.deepEqual(directory.logFiles(), ["service-000003.log", "service-000004.log"]);
  for (const name of directory.logFiles()) {
    assert.ok(statSync(join(directory.logDirectory, name)).size < 2 ** 20 + 2_000, name);
  }
  const kept = directory.lines().flatMap(({ at }) => at ?? []);
  assert.equal(kept.at(-1), lines - 1);
  assert.deepEqual(
    kept,
    [...kept.keys()].map((at) => at + lines - kept.length),
    "none is missing",
  );
});

test("a log that cannot be written stops nothing", async (t) => {
  if (!(await prepareWine(t))) return;
  const directory = new HostDirectory();
  const traceFile = join(directory.path, "trace");
  directory.play({ traceFile: windowsPath(traceFile), lines: 500 });
  writeFileSync(join(directory.path, "state"), "a file in the place of the log's directory");
  const service = await RegisteredService.create(t, await directory.options());
  await service.start();
  assert.deepEqual(await service.stop(), { state: "STOPPED", windowsError: 0, exitCode: 0 });
  assert.match(readFileSync(traceFile, "utf8"), /^started\n(alive\n)*standard input ended\n$/);
});

test("a killed program is started again by the service", async (t) => {
  const found = await registered(t, {});
  if (found === undefined) return;
  const { directory, service } = found;
  await service.start();
  const first = processIn(directory, "node.exe");
  assert.ok(first !== undefined);
  process.kill(first, "SIGKILL");
  await directory.linesWith("started", 2);
  const second = processIn(directory, "node.exe");
  assert.ok(second !== undefined && second !== first);
  assert.equal((await service.state())?.state, "RUNNING");
  await service.stop();
});

test("a killed host takes its program with it, even one that ignores the end of its input", async (t) => {
  if (!(await prepareWine(t))) return;
  const directory = new HostDirectory({ isDeaf: true });
  const log = join(directory.path, "console");
  const options = await directory.options();
  const host = startWine(serviceHost, ["--console", ...options], log);
  t.after(() => host.kill("SIGKILL"));
  const isDeaf = () => readFileSync(log, "utf8").includes('{"msg":"started"}');
  await until(isDeaf, "the program has started", { everyMs: 50 });
  assert.ok(processIn(directory, "node.exe") !== undefined);
  host.kill("SIGKILL");
  await until(() => processIn(directory, "node.exe") === undefined, "the program is gone");
});

test("a wrong command line, or a program that is not there, is an error of the service", async (t) => {
  if (!(await prepareWine(t))) return;
  const directory = new HostDirectory();
  const wrong = await RegisteredService.create(t, ["--nod", "x"]);
  await wrong.begin();
  const refused = { state: "STOPPED", windowsError: 1066, exitCode: 2 };
  assert.deepEqual(await wrong.untilState("STOPPED"), refused);
  const options = (await directory.options()).with(
    1,
    windowsPath(join(directory.path, "node.exe")),
  );
  const missing = await RegisteredService.create(t, options);
  await missing.begin();
  await directory.linesWith("service host stopped");
  const notFound = { state: "STOPPED", windowsError: 2, exitCode: 0 };
  assert.deepEqual(await missing.untilState("STOPPED"), notFound);
});

test("--install makes the service, or gives it another command line, and sets what Windows does with it", async (t) => {
  if (!(await prepareWine(t))) return;
  await RegisteredService.named(t);
  const directory = new HostDirectory();
  const key = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\Certwire";
  const valueOf = async (name: string): Promise<string | undefined> => {
    const text = await runWine("reg", ["query", key, "/v", name]);
    return new RegExp(`${name} +REG_\\w+ +(.+?)\\r?\\n`).exec(text)?.[1];
  };
  const host = windowsPath(serviceHost);
  const install = async (...options: string[]) => {
    const output = await runWine(host, ["--install", ...options]);
    const words = [host, "--service", ...options];
    // Wine's reg.exe writes letters outside ASCII in another encoding.
    const ascii = (text = "") => text.replaceAll(/[^ -~]/g, "?");
    const expected = words.map((word) => `"${word}"`).join(" ");
    assert.equal(ascii(await valueOf("ImagePath")), ascii(expected));
    return output;
  };
  const options = await directory.options("--stop-seconds", "30");
  assert.match(await install(...options), /^service created: Certwire/);
  assert.equal(await valueOf("ObjectName"), "NT SERVICE\\Certwire");
  assert.equal(await valueOf("Start"), "0x2");
  assert.equal(await valueOf("PreshutdownTimeout"), "0x9c40", "30 s and 10 s more");
  const changed = await install(...options.slice(0, -2));
  assert.match(changed, /^service changed: Certwire/);
  for (const name of ["description", "delayed start", "restart after a crash", "SID type"]) {
    assert.match(changed, new RegExp(`^${name}: (set|not known to this Windows)\\r?$`, "m"));
  }
  await runWine(host, ["--install", ...options.toSpliced(4, 2)]);
  const usual = '"--config" "C:\\ProgramData\\Certwire\\config\\certwire.jsonc"';
  assert.ok((await valueOf("ImagePath"))?.endsWith(usual), "the default is written out");
  const missing = windowsPath(join(directory.path, "missing.js"));
  await assert.rejects(
    runWine(host, ["--install", ...options.with(3, missing)]),
    (error) => error instanceof CommandError && error.message.includes("missing.js does not exist"),
  );
});
