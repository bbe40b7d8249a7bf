// `certwire ca` and `certwire setup` in node.exe for Windows with the real addon, on a made-up CA.
import assert from "node:assert/strict";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { CaStatus } from "../../src/ca/ca-status.ts";
import { makeTempDirectory } from "../integration/support/temp-directory.ts";
import { startFakeRabbitMq } from "../support/fake-rabbitmq.ts";
import { HostDirectory, RegisteredService } from "./support/host-service.ts";
import { certwireInWine, MadeUpCas } from "./support/made-up-ca.ts";
import { binaries, driveC, prepareWine, runWine, windowsPath } from "./support/wine.ts";

const defaultExit = "CertificateAuthority_MicrosoftDefault.Exit";
const ca = "Corp-Issuing-CA-1";

/** CAs without a service; undefined without Wine. */
async function prepare(t: TestContext): Promise<MadeUpCas | undefined> {
  if (!(await prepareWine(t))) return undefined;
  await RegisteredService.named(t, "CertSvc");
  return MadeUpCas.create(t);
}

async function status(...words: readonly string[]): Promise<CaStatus> {
  const { exitCode, output } = await certwireInWine("ca", "status", "--json", ...words);
  assert.equal(exitCode, 0, output);
  return JSON.parse(output) as CaStatus;
}

test("ca enable and disable keep the order and the default module, and write nothing the second time", async (t) => {
  const cas = await prepare(t);
  if (cas === undefined) return;
  await cas.add(ca, "REG_MULTI_SZ", `Z.Exit\\0${defaultExit}\\0A.Exit`);
  const dryRun = await certwireInWine("ca", "enable", "--dry-run");
  assert.match(dryRun.output, /^become +Z\.Exit, .*, A\.Exit, Certwire\.Exit\r?$/m);
  assert.match(dryRun.output, /nothing was changed/);
  assert.equal(await cas.listOf(ca), `REG_MULTI_SZ Z.Exit\\0${defaultExit}\\0A.Exit`);
  const first = await certwireInWine("ca", "enable");
  assert.equal(first.exitCode, 0, first.output);
  assert.match(first.output, /^certwire: done\r?$/m, "there is no CA service to restart");
  const enabled = `REG_MULTI_SZ Z.Exit\\0${defaultExit}\\0A.Exit\\0Certwire.Exit`;
  assert.equal(await cas.listOf(ca), enabled);
  const second = await certwireInWine("ca", "enable");
  assert.match(second.output, /the same: nothing to change/);
  assert.equal(await cas.listOf(ca), enabled);
  const found = await status();
  assert.deepEqual([found.ca, found.isActive, found.isEnabled], [ca, true, true]);
  assert.deepEqual(found.exitModules, ["Z.Exit", defaultExit, "A.Exit", "Certwire.Exit"]);
  assert.equal(found.registration.dll, windowsPath(binaries.exitModule));
  assert.equal(found.registration.machine, "x64");
  assert.deepEqual(found.registration.problems, []);
  assert.equal((await certwireInWine("ca", "disable")).exitCode, 0);
  assert.equal(await cas.listOf(ca), `REG_MULTI_SZ Z.Exit\\0${defaultExit}\\0A.Exit`);
});

test("a list that is a single text becomes a list, one that is a number stays as it is", async (t) => {
  const cas = await prepare(t);
  if (cas === undefined) return;
  await cas.add(ca, "REG_SZ", defaultExit);
  assert.equal((await certwireInWine("ca", "enable")).exitCode, 0);
  assert.equal(await cas.listOf(ca), `REG_MULTI_SZ ${defaultExit}\\0Certwire.Exit`);
  await cas.add(ca, "REG_DWORD", "7");
  const { exitCode, output } = await certwireInWine("ca", "enable");
  assert.equal(exitCode, 78);
  assert.match(output, /CERTWIRE_CA_LIST: .*not a list of names but REG_DWORD/);
  assert.equal(await cas.listOf(ca), "REG_DWORD 0x7");
});

test("a machine without a CA is an error; of two CAs the active one is changed, or the one that is named", async (t) => {
  const cas = await prepare(t);
  if (cas === undefined) return;
  const none = await certwireInWine("ca", "status");
  assert.equal(none.exitCode, 78);
  assert.match(none.output, /CERTWIRE_CA_MISSING: the registry has no configuration of a CA/);
  await cas.add("Old-CA", "REG_MULTI_SZ", defaultExit);
  await cas.add(ca, "REG_MULTI_SZ", defaultExit);
  assert.equal((await certwireInWine("ca", "enable")).exitCode, 0);
  assert.equal(await cas.listOf("Old-CA"), `REG_MULTI_SZ ${defaultExit}`);
  const named = await certwireInWine("ca", "enable", "--ca", "old-ca");
  assert.match(named.output, /note: CertSvc does not run this CA/);
  assert.equal(await cas.listOf("Old-CA"), `REG_MULTI_SZ ${defaultExit}\\0Certwire.Exit`);
  assert.equal((await status("--ca", "Old-CA")).isActive, false);
  const restart = await certwireInWine("ca", "disable", "--ca", "Old-CA", "--restart");
  assert.equal(restart.exitCode, 2, restart.output);
  assert.match(restart.output, /"Old-CA" is another one/);
  const wrong = await certwireInWine("ca", "enable", "--ca", "Other");
  assert.equal(wrong.exitCode, 78);
  assert.match(wrong.output, /hint: Name one with --ca: .*"Old-CA"/);
});

test("--restart really restarts the service, which then runs with the list", async (t) => {
  const cas = await prepare(t);
  if (cas === undefined) return;
  const directory = new HostDirectory({});
  const service = await RegisteredService.create(t, await directory.options(), "CertSvc");
  await service.start();
  assert.equal((await directory.linesWith("started")).length, 1);
  await cas.add(ca, "REG_MULTI_SZ", defaultExit);
  const { exitCode, output } = await certwireInWine("ca", "enable", "--restart");
  assert.equal(exitCode, 0, output);
  assert.match(output, /^restarted +CertSvc\r?$/m);
  assert.match(output, /the CA service runs with this list/);
  assert.equal((await directory.linesWith("started", 2)).length, 2);
  assert.equal((await directory.linesWith("stopped")).length, 1);
  const restarted = await status();
  assert.deepEqual([restarted.service, restarted.isRestartNeeded], ["running", false]);
  const disabled = await certwireInWine("ca", "disable");
  assert.match(disabled.output, /left to do: restart the CA service/);
  assert.equal((await status()).isRestartNeeded, true);
  await service.stop();
  assert.equal((await status()).service, "stopped");
});

test("a CA service that Windows cannot start is an error with the number, and the hint starts it without our module", async (t) => {
  const cas = await prepare(t);
  if (cas === undefined) return;
  await cas.add(ca, "REG_MULTI_SZ", defaultExit);
  const program = "C:\\gone\\certsrv.exe";
  await runWine("sc", ["create", "CertSvc", "start=", "demand", "binPath=", program]);
  const { exitCode, output } = await certwireInWine("ca", "enable", "--restart");
  assert.equal(exitCode, 74, output);
  assert.match(
    output,
    /CERTWIRE_WINDOWS_FAILED: the service CertSvc cannot be started: .* error 2\r?$/m,
  );
  assert.match(
    output,
    /^hint: .*Stopped now: CertSvc\..*certwire ca disable, then net start "CertSvc"/m,
  );
  assert.equal(await cas.listOf(ca), `REG_MULTI_SZ ${defaultExit}\\0Certwire.Exit`);
});

test("--restart without the service of the CA is an error with the number of Windows, before the list changes", async (t) => {
  const cas = await prepare(t);
  if (cas === undefined) return;
  await cas.add(ca, "REG_MULTI_SZ", defaultExit);
  const { exitCode, output } = await certwireInWine("ca", "enable", "--restart");
  assert.equal(exitCode, 74, output);
  assert.match(output, /CERTWIRE_WINDOWS_FAILED: .*CertSvc.*Windows error 1060/);
  assert.equal(await cas.listOf(ca), `REG_MULTI_SZ ${defaultExit}`);
});

test("enable refuses a DLL below a user's folder, and one that others may change; status warns of it", async (t) => {
  const cas = await prepare(t);
  if (cas === undefined) return;
  await cas.add(ca, "REG_MULTI_SZ", defaultExit);
  t.after(() => runWine("regsvr32", ["/s", windowsPath(binaries.exitModule)]));
  const { registration } = await status();
  const key = `HKLM\\SOFTWARE\\Classes\\CLSID\\${registration.clsid}\\InprocServer32`;
  const registerAt = (path: string) => runWine("reg", ["add", key, "/ve", "/d", path, "/f"]);
  const refused = async (reason: RegExp): Promise<void> => {
    const { exitCode, output } = await certwireInWine("ca", "enable");
    assert.equal(exitCode, 78, output);
    assert.match(output, reason);
    assert.match((await status()).warnings.join("\n"), reason);
    assert.equal(await cas.listOf(ca), `REG_MULTI_SZ ${defaultExit}`);
  };
  const home = join(driveC(), "users", "alice");
  mkdirSync(home);
  t.after(() => rmSync(home, { recursive: true }));
  copyFileSync(binaries.exitModule, join(home, "certwire-exit.dll"));
  await registerAt("C:\\Users\\alice\\certwire-exit.dll");
  await refused(/the DLL lies below the folders of users/);
  const open = makeTempDirectory("open");
  copyFileSync(binaries.exitModule, join(open, "certwire-exit.dll"));
  chmodSync(open, 0o777);
  const openDll = windowsPath(join(open, "certwire-exit.dll"));
  await assert.rejects(runWine("regsvr32", ["/s", openDll]), "regsvr32 refuses it too");
  await registerAt(openDll);
  await refused(/accounts other than administrators can change the DLL or its folder/);
  await registerAt("C:\\gone\\certwire-exit.dll");
  await refused(/the DLL is missing/);
});

test("setup checks the new configuration on a broker, then starts the service and enables the module", async (t) => {
  const cas = await prepare(t);
  if (cas === undefined) return;
  await cas.add(ca, "REG_MULTI_SZ", defaultExit);
  const broker = await startFakeRabbitMq(() => true);
  t.after(() => broker.stop());
  const [service, certsvc] = [new HostDirectory({}), new HostDirectory({})];
  await RegisteredService.create(t, await service.options());
  await (await RegisteredService.create(t, await certsvc.options(), "CertSvc")).start();
  await certsvc.linesWith("started");
  const directory = makeTempDirectory("setup");
  const [journal, password] = [join(directory, "journal"), join(directory, "password.txt")];
  mkdirSync(journal);
  writeFileSync(password, "hunter2\n");
  const config = join(directory, "certwire.jsonc");
  const places = { "--config": config, "--journal": journal, "--state": join(directory, "state") };
  const words = Object.entries(places).flatMap(([option, path]) => [option, windowsPath(path)]);
  const url = broker.url.replace("//", "//ca1@");
  const sink = ["--rabbitmq", url, "--rabbitmq-password-file", windowsPath(password)];
  const steps = ["--start", "--enable", "--restart-ca"];
  const dryRun = await certwireInWine("setup", ...words, ...sink, ...steps, "--dry-run");
  assert.match(dryRun.output, /^start of the service Certwire\r?$/m);
  assert.match(
    dryRun.output,
    /^note: the service Certwire reads Z:.*certwire config\.json, not this/m,
  );
  assert.ok(!existsSync(config));
  assert.equal(await cas.listOf(ca), `REG_MULTI_SZ ${defaultExit}`);
  const { exitCode, output } = await certwireInWine("setup", ...words, ...sink, ...steps);
  assert.equal(exitCode, 0, output);
  assert.match(output, /^ok +sink rabbitmq +rabbitmq: connected/m);
  assert.match(output, /^certwire: done\r?$/m);
  assert.ok(!output.includes("hunter2"));
  assert.equal((await service.linesWith("started")).length, 1);
  assert.equal((await certsvc.linesWith("started", 2)).length, 2);
  assert.equal(await cas.listOf(ca), `REG_MULTI_SZ ${defaultExit}\\0Certwire.Exit`);
  assert.match(readFileSync(config, "utf8"), /"directory": "Z:\\\\/);
  const again = await certwireInWine("setup", ...words, ...sink);
  assert.match(again.output, /CERTWIRE_SETUP_EXISTS/);
  assert.equal(again.exitCode, 78);
});
