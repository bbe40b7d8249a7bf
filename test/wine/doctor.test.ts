// `certwire doctor` in node.exe for Windows with the real addon, on a made-up CA.
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { CheckName } from "../../src/doctor/checks.ts";
import type { Finding } from "../../src/doctor/finding.ts";
import { makeTempDirectory } from "../integration/support/temp-directory.ts";
import { until } from "../support/until.ts";
import { unzip } from "../support/unzip.ts";
import { HostDirectory, RegisteredService } from "./support/host-service.ts";
import { certwireInWine, MadeUpCas } from "./support/made-up-ca.ts";
import { nodeForWindows, prepareWine, runWine, startWine, windowsPath } from "./support/wine.ts";

const defaultExit = "CertificateAuthority_MicrosoftDefault.Exit";
const ca = "Corp-Issuing-CA-1";

/** A directory with a journal and a configuration with a file sink. */
class Installation {
  readonly path = makeTempDirectory("doctor");
  readonly journal = join(this.path, "journal");
  readonly config = join(this.path, "certwire.json");

  constructor() {
    mkdirSync(this.journal);
    const places = {
      journal: { directory: windowsPath(this.journal), minFreeMegabytes: 0 },
      state: { directory: windowsPath(join(this.path, "state")) },
    };
    const sinks = [{ name: "files", url: "file:events" }];
    writeFileSync(this.config, JSON.stringify({ ...places, sinks }));
  }

  async findings(): Promise<readonly Finding[]> {
    const words = ["doctor", "--config", windowsPath(this.config), "--offline", "--json"];
    const { exitCode, output } = await certwireInWine(...words);
    // Without a service and an account of its own there is always something to do in Wine.
    assert.equal(exitCode, 11, output);
    return (JSON.parse(output.slice(output.indexOf("{"))) as { findings: Finding[] }).findings;
  }
}

function of(found: readonly Finding[], check: CheckName): readonly string[] {
  return found
    .filter((finding) => finding.check === check)
    .map(({ state, seen }) => `${state}: ${seen}`);
}

async function prepare(t: TestContext): Promise<MadeUpCas | undefined> {
  if (!(await prepareWine(t))) return undefined;
  await RegisteredService.named(t, "CertSvc");
  await RegisteredService.named(t, "Certwire");
  return MadeUpCas.create(t);
}

test("a machine without a CA has an error that says so, and everything else is examined", async (t) => {
  if ((await prepare(t)) === undefined) return;
  const found = await new Installation().findings();
  assert.match(of(found, "module-enabled").join(), /^error: the registry has no configuration/);
  assert.match(of(found, "journal-directory").join(), /^warn: .*: no segment/);
  assert.match(of(found, "service-running").join(), /error: there is no service Certwire/);
  assert.match(of(found, "sink-backlog").join(), /^ok: nothing waits/);
  assert.equal(of(found, "event-log").length, 1);
});

test("DLL, list, service of the CA and the start of the module are seen as they are", async (t) => {
  const cas = await prepare(t);
  if (cas === undefined) return;
  await cas.add(ca, "REG_MULTI_SZ", defaultExit);
  const installation = new Installation();
  const key = String.raw`HKLM\SYSTEM\CurrentControlSet\Services\CertSvc\Configuration`;
  const place = `${key}\\${ca}\\ExitModules\\Certwire.Exit`;
  const directory = windowsPath(installation.journal);
  await runWine("reg", ["add", place, "/v", "JournalDirectory", "/d", directory, "/f"]);
  const before = await installation.findings();
  assert.match(of(before, "module-registered").join(), /^ok: Z:.*certwire-exit\.dll, x64$/);
  assert.match(of(before, "module-version").join(), /^ok: \d+\.\d+\.\d+$/);
  assert.match(of(before, "module-signature").join(), /^ok: not signed/);
  const [absent = "", stopped = ""] = of(before, "module-enabled");
  assert.match(
    absent,
    new RegExp(`^error: Certwire\\.Exit is not in the list of ${ca}: ${defaultExit}`),
  );
  assert.match(stopped, /^error: the service CertSvc is not installed/);
  assert.match(of(before, "module-loaded").join(), /^skipped: the CA does not run/);
  assert.match(
    of(before, "journal-directory").join(),
    /^warn: .*: no segment/,
    "the same directory",
  );

  assert.equal((await certwireInWine("ca", "enable")).exitCode, 0);
  const service = await RegisteredService.create(
    t,
    await new HostDirectory({}).options(),
    "CertSvc",
  );
  await service.start();
  const silent = await installation.findings();
  assert.match(of(silent, "module-enabled").join(), /^ok: .* has it as number 2 of 2$/);
  assert.match(
    of(silent, "module-loaded").join(),
    /^error: the CA was started 20\d\d-.*written nothing/,
  );

  const main = join(import.meta.dirname, "..", "..", "src", "cli", "main.js");
  const words = ["simulate", "--journal", directory, "--rate", "5"];
  const log = join(installation.path, "simulate.log");
  const writer = startWine(await nodeForWindows(), [windowsPath(main), ...words], log);
  t.after(() => {
    if (writer.pid !== undefined && writer.exitCode === null) process.kill(-writer.pid, "SIGKILL");
  });
  const isWritten = () => readdirSync(installation.journal).some((name) => name.endsWith(".cej"));
  await until(isWritten, "the module writes");
  // Whether the module still holds its lock cannot be seen: Wine lets others read a byte that is locked.
  const loaded = await installation.findings();
  assert.match(
    of(loaded, "module-loaded").join(),
    /^ok: the CA was started 20\d\d-.*, the module 20/,
  );
  assert.match(of(loaded, "journal-space").join(), /the module 64\.0 MiB$/);

  const zip = join(installation.path, "doctor.zip");
  const collect = ["--offline", "--collect", windowsPath(zip)];
  await certwireInWine("doctor", "--config", windowsPath(installation.config), ...collect);
  const files = unzip(zip);
  assert.match(files.get("exit-module.json") ?? "", /"ca": "<ca-1>"/);
  for (const [name, content] of files) assert.ok(!content.includes(ca), `${name}: ${content}`);

  const { ca: status } = JSON.parse(files.get("exit-module.json") ?? "") as {
    ca: { registration: { clsid: string } };
  };
  const server = `HKLM\\SOFTWARE\\Classes\\CLSID\\${status.registration.clsid}\\InprocServer32`;
  // A value that is written as it was does not count as a change.
  await runWine("reg", ["add", server, "/v", "Test", "/d", "x", "/f"]);
  await runWine("reg", ["delete", server, "/v", "Test", "/f"]);
  const registered = await installation.findings();
  assert.match(of(registered, "module-loaded").join(), /^warn: CertSvc still runs the DLL/);
});

test("a journal that others may change is refused as the module refuses it, and another one than the module's too", async (t) => {
  const cas = await prepare(t);
  if (cas === undefined) return;
  await cas.add(ca, "REG_MULTI_SZ", `${defaultExit}\\0Certwire.Exit`);
  const installation = new Installation();
  assert.match(of(await installation.findings(), "journal-rights").join(), /^(?:ok|warn): /);
  chmodSync(installation.journal, 0o777);
  const found = await installation.findings();
  assert.match(
    of(found, "journal-rights").join(),
    /^error: the module refuses it: its permissions let other accounts write to it/,
  );
  const other =
    /^error: the configuration reads Z:.*, the exit module writes C:\\ProgramData\\Certwire\\journal/;
  assert.match(of(found, "journal-directory").join(), other);
});

test("a service that Windows runs and whose program has no lock is an error; its account and start are seen", async (t) => {
  if ((await prepare(t)) === undefined) return;
  const played = new HostDirectory({});
  const service = await RegisteredService.create(t, await played.options());
  await service.start();
  const found = await new Installation().findings();
  assert.match(
    of(found, "service-running").join("\n"),
    /^error: Windows says that it runs, and no process holds its state directory/m,
  );
  const account = of(found, "service-account").join("\n");
  assert.match(account, /^warn: Windows does not start it by itself/m);
  assert.match(account, /^warn: it runs as LocalSystem/m);
  played.play({ exitCode: 78 });
  await service.stop();
  await service.begin();
  await service.untilState("STOPPED");
  const ended = of(await new Installation().findings(), "service-running").join("\n");
  assert.match(ended, /its program ended with exit code 78/);
});
