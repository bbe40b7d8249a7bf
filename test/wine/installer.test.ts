// The MSI in Wine: installed, upgraded and removed by msiexec.

import assert from "node:assert/strict";
import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import type { Msi } from "../../scripts/release/msi/build.ts";
import { makeTempDirectory } from "../integration/support/temp-directory.ts";
import { writeScenario } from "../scenarios/generate.ts";
import { eventContext, eventsOfFrame } from "../support/exit-records.ts";
import { type FollowedEvent, FollowedFiles } from "../support/followed-files.ts";
import { publishedLines, textsIn } from "../support/published-files.ts";
import { startCli } from "../support/run-cli.ts";
import { scaled } from "../support/scale.ts";
import { readAll } from "../support/small-journal.ts";
import { until } from "../support/until.ts";
import { checkPublished, countEvents } from "./support/check-published.ts";
import { checkContents, checkRun, checkStartAndStop } from "./support/check-run.ts";
import { groupBy } from "./support/group-by.ts";
import {
  buildInstaller,
  dataDirectory,
  filesBelow,
  Installer,
  installDirectory,
  queryRegistry,
  registeredDll,
  registryValue,
  serviceLog,
  writeConfiguration,
} from "./support/installer.ts";
import { runStandin } from "./support/standin.ts";
import { binaries, driveC, runWine, windowsPath } from "./support/wine.ts";

const serviceKey = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\Certwire";
const sourceKey = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\Certwire";
const environmentKey = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment";
const settingsKey = "HKLM\\SOFTWARE\\Certwire\\Setup";
const program = "C:\\Program Files\\Certwire";
/** Exit codes of msiexec, of which Wine keeps 8 bits: a launch condition that does not hold, and a failure on the way. */
const refused = 1603 & 0xff;
const failed = [1603 & 0xff, 1627 & 0xff];

let first: Msi;
let second: Msi;

before(async () => {
  first = await buildInstaller("0.1.0");
  second = await buildInstaller("0.2.0");
});

/** Names of the files and directories of the data directory, without what is in them. */
const directories = ["config", "journal", "state"];

test("an installation brings files, service, class, event source, directories and path, and its removal leaves the data", async (t) => {
  const installer = await Installer.prepare(t);
  await installer.install(first);
  const names = filesBelow(installDirectory);
  assert.equal(names.length, first.files);
  for (const name of ["certwire.cmd", "0.1.0/node.exe", "0.1.0/app/certwire.mjs"]) {
    assert.ok(names.includes(name), name);
  }
  const dll = `${program}\\0.1.0\\certwire-exit.dll`;
  assert.equal(await registeredDll(), dll);
  assert.equal(await registryValue(sourceKey, "EventMessageFile"), dll);
  const expected = {
    // Windows puts the program in quotation marks; Wine does not.
    ImagePath: `${program}\\0.1.0\\certwire-service.exe --service --config "C:\\ProgramData\\Certwire\\config\\certwire.jsonc"`,
    ObjectName: "NT SERVICE\\Certwire",
    Start: "0x2",
    PreshutdownTimeout: "0x7530",
    Description: "Publishes the events of the certification authority",
  };
  for (const [name, value] of Object.entries(expected)) {
    assert.equal(await registryValue(serviceKey, name), value, name);
  }
  assert.equal((await installer.service.state())?.state, "STOPPED", "it is not started");
  assert.match(
    (await registryValue(environmentKey, "PATH")) ?? "",
    /;C:\\Program Files\\Certwire\\$/,
  );
  assert.deepEqual(await installer.versions(), ["0.1.0"]);
  for (const name of directories) assert.ok(existsSync(join(dataDirectory, name)), name);
  const version = await runWine("cmd", ["/c", `${program}\\certwire.cmd`, "--version"]);
  assert.match(version, /^\d+\.\d+\.\d+/);
  writeFileSync(join(dataDirectory, "journal", "kept"), "");
  await installer.uninstall(first);
  await assertRemoved(installer);
  assert.deepEqual(filesBelow(dataDirectory), ["journal/kept"]);
});

/** Asserts that nothing is left but the data. */
async function assertRemoved(installer: Installer): Promise<void> {
  assert.ok(!existsSync(installDirectory), "files are left");
  assert.equal(await installer.service.state(), undefined, "the service is left");
  assert.equal(await queryRegistry("HKLM\\SOFTWARE\\Certwire"), undefined, "settings are left");
  assert.equal(await registeredDll(), undefined, "the class is left");
  assert.equal(await queryRegistry(sourceKey), undefined, "the event source is left");
  assert.doesNotMatch((await registryValue(environmentKey, "PATH")) ?? "", /Certwire/);
  assert.deepEqual(await installer.versions(), []);
}

test("an installed service publishes every event that the installed exit module records", async (t) => {
  const installer = await Installer.prepare(t);
  await installer.install(first);
  const events = writeConfiguration("full");
  await installer.service.start();
  const scenario = writeScenario("everyday", makeTempDirectory("scenario"));
  const run = await runStandin(scenario, { journalDirectory: join(dataDirectory, "journal") });
  const outcomes = checkRun(scenario, run);
  checkContents(outcomes);
  checkStartAndStop(outcomes);
  const expected = countEvents(outcomes.records);
  await until(() => publishedLines(events) >= expected, `${expected} events are published`, {
    everyMs: 100,
    state: newestLines,
  });
  await stopCleanly(installer);
  const lines = textsIn(events).flatMap((text) => text.split("\n").filter(Boolean));
  checkPublished(outcomes.records, outcomes.scenario.header.secrets, lines);
});

const newestLines = (): string[] => serviceLog().slice(-20);

async function stopCleanly({ service }: Installer): Promise<void> {
  assert.deepEqual(await service.stop(), { state: "STOPPED", windowsError: 0, exitCode: 0 });
  const isLogged = serviceLog().some((line) => line.includes('"service host stopped"'));
  assert.ok(isLogged, "the log says so");
}

test("an upgrade while events flow loses none, repeats none and keeps the order of each request", async (t) => {
  const installer = await Installer.prepare(t);
  await installer.install(first);
  const files = new FollowedFiles(writeConfiguration());
  await installer.service.start();
  const simulate = ["simulate", "-j", join(dataDirectory, "journal"), "--rate", "200"];
  const simulator = startCli(simulate);
  t.after(() => simulator.child.kill("SIGKILL"));
  const grow = async (): Promise<number> => {
    const wanted = files.read().length + scaled(1_000);
    const isDone = () => files.read().length >= wanted;
    await until(isDone, `${wanted} events are published`, { everyMs: 100, state: newestLines });
    return wanted;
  };
  const early = await grow();
  await installer.install(second);
  assert.deepEqual(await installer.versions(), ["0.2.0"]);
  assert.equal(await registeredDll(), `${program}\\0.2.0\\certwire-exit.dll`);
  assert.match((await registryValue(serviceKey, "ImagePath")) ?? "", /\\0\.2\.0\\/);
  assert.deepEqual(filesBelow(join(installDirectory, "0.1.0")), [], "the old files are left");
  assert.equal((await installer.service.state())?.state, "RUNNING");
  await grow();
  simulator.child.kill("SIGTERM");
  assert.equal((await simulator.ended).exitCode, 0);
  const { expected, repeated } = await checkFlow(files);
  assert.equal(await installer.run("/i", windowsPath(first.path)), refused, "a downgrade");
  assert.deepEqual(await installer.versions(), ["0.2.0"]);
  await stopCleanly(installer);
  // A stop that takes too long ends by force; what was in flight then is published again.
  const isForced = serviceLog().some((line) => line.includes("did not end in time"));
  if (!isForced) assert.equal(repeated, 0);
  t.diagnostic(`${expected} events, ${early} before the upgrade, ${repeated} repeated`);
});

/** Waits for everything in the journal to be published, each request in its order; how many events, and how many twice. */
async function checkFlow(files: FollowedFiles): Promise<{ expected: number; repeated: number }> {
  const context = eventContext();
  const frames = await readAll(join(dataDirectory, "journal"));
  const expected = frames.flatMap((frame) => eventsOfFrame(frame, context));
  const last = expected.at(-1)?.id;
  await until(() => files.read().some(({ id }) => id === last), "the last event is published", {
    everyMs: 100,
    state: newestLines,
  });
  const all = files.read();
  const ids = new Set<string>();
  const inOrder = all.filter(({ id }) => !ids.has(id) && ids.add(id));
  const chains = (events: readonly FollowedEvent[]) =>
    [...groupBy(events, ({ partitionkey }) => partitionkey)]
      .map(([key, own]) => `${key}: ${own.map(({ id }) => id).join(" ")}`)
      .toSorted();
  assert.deepEqual(chains(inOrder), chains(expected));
  return { expected: expected.length, repeated: all.length - inOrder.length };
}

test("an upgrade keeps folder and configuration file, and starts no service that was stopped", async (t) => {
  const installer = await Installer.prepare(t);
  const settings = ["INSTALLDIR=C:\\PKI\\Certwire", "CONFIGFILE=C:\\PKI\\certwire.jsonc"];
  await installer.install(first, ...settings);
  const folder = join(driveC(), "PKI", "Certwire");
  assert.ok(existsSync(join(folder, "0.1.0", "node.exe")));
  await installer.install(second);
  assert.ok(existsSync(join(folder, "0.2.0", "node.exe")));
  assert.ok(!existsSync(join(folder, "0.1.0")));
  assert.ok(!existsSync(installDirectory));
  assert.equal(await registryValue(settingsKey, "ConfigFile"), "C:\\PKI\\certwire.jsonc");
  assert.match((await registryValue(serviceKey, "ImagePath")) ?? "", /"C:\\PKI\\certwire.jsonc"$/);
  assert.equal((await installer.service.state())?.state, "STOPPED");
  await installer.uninstall(second);
  await assertRemoved(installer);
  assert.ok(!existsSync(folder));
});

test("an upgrade keeps the environment of the service and checks the configuration with it", async (t) => {
  const installer = await Installer.prepare(t);
  await installer.install(first);
  writeConfiguration();
  await installer.service.start();
  // Wine starts a service without it, so that only the check of the configuration runs this script.
  writeFileSync(
    join(driveC(), "trace.cjs"),
    `const { argv, env } = process;
    const trace = { arguments: argv.slice(2), secret: env.CERTWIRE_SECRET, windows: env.windir };
    require("node:fs").writeFileSync("C:/trace.json", JSON.stringify(trace));`,
  );
  const secret = "a word [INSTALLDIR] %PATH% =1";
  const entries = ["NODE_OPTIONS=--require C:/trace.cjs", `CERTWIRE_SECRET=${secret}`, "WINDIR=W:"];
  const value = ["/v", "Environment", "/t", "REG_MULTI_SZ", "/s", "~", "/d", entries.join("~")];
  await runWine("reg", ["add", serviceKey, ...value]);
  const written = await registryValue(serviceKey, "Environment");
  assert.equal(written, entries.join("\\0"));
  await installer.install(second);
  assert.equal(await registryValue(serviceKey, "Environment"), written);
  assert.deepEqual(JSON.parse(readFileSync(join(driveC(), "trace.json"), "utf8")), {
    arguments: [
      "check",
      "--offline",
      "--config",
      "C:\\ProgramData\\Certwire\\config\\certwire.jsonc",
    ],
    secret,
    windows: "W:",
  });
  await stopCleanly(installer);
});

test("a silent installation with STARTSERVICE=1 starts the service if its configuration is right, or is undone", async (t) => {
  const installer = await Installer.prepare(t);
  const install = () => installer.run("/i", windowsPath(first.path), "STARTSERVICE=1");
  assert.ok(failed.includes(await install()), "without a configuration");
  assert.match(installer.log, /Certwire: certwire check ended with 78/);
  await assertUndone(installer);
  writeConfiguration();
  assert.equal(await install(), 0);
  assert.equal((await installer.service.state())?.state, "RUNNING");
  await stopCleanly(installer);
});

/** Like `assertRemoved`, but for what Wine leaves: it undoes a registration only after the DLL is gone. */
async function assertUndone(installer: Installer): Promise<void> {
  assert.deepEqual(filesBelow(installDirectory), []);
  assert.equal(await installer.service.state(), undefined, "the service is left");
  assert.equal(await queryRegistry("HKLM\\SOFTWARE\\Certwire"), undefined, "settings are left");
  assert.deepEqual(await installer.versions(), []);
  assert.deepEqual(filesBelow(dataDirectory), []);
}

test("an installation that fails on the way is undone as a whole", async (t) => {
  const installer = await Installer.prepare(t);
  const broken = await buildInstaller("0.3.0", (stage) => {
    // Another program in its place, which refuses to configure a service.
    cpSync(binaries.standin, join(stage, "certwire-service.exe"));
  });
  const exitCode = await installer.run("/i", windowsPath(broken.path));
  assert.ok(failed.includes(exitCode), String(exitCode));
  await assertUndone(installer);
});
