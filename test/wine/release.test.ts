// The zip of a release, unpacked and run in Wine.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { makeZip } from "../../scripts/release/archives.ts";
import { CommandError, runCommand } from "../integration/support/run-command.ts";
import { makeTempDirectory } from "../integration/support/temp-directory.ts";
import { stagedLine, stagedTree } from "../package/support/staged.ts";
import { runCli } from "../support/run-cli.ts";
import { until } from "../support/until.ts";
import { prepareWine, runWine, startWine, windowsPath } from "./support/wine.ts";

/** The folder of the version, in the place where the how-to unpacks it. */
let installed = "";
let version = "";

before(async () => {
  const stage = await stagedTree(stagedLine);
  const zip = `${stage.directory}.zip`;
  makeZip(stage, zip);
  const target = join(makeTempDirectory("installed"), "Program Files", "Certwire");
  mkdirSync(target, { recursive: true });
  await runCommand("unzip", ["-q", zip, "-d", target]);
  version = stage.version;
  installed = join(target, version);
});

const certwire = (...words: string[]): Promise<string> =>
  runWine(windowsPath(join(installed, "certwire.cmd")), words);

/** A configuration with a file sink, and the directories that it names. */
function configuration() {
  const directory = makeTempDirectory("release");
  const journal = join(directory, "journal");
  mkdirSync(journal);
  const events = join(directory, "events");
  const file = join(directory, "certwire.jsonc");
  const config = {
    journal: { directory: windowsPath(journal) },
    state: { directory: windowsPath(join(directory, "state")) },
    sinks: [{ name: "events", url: `file:///${windowsPath(events).replaceAll("\\", "/")}` }],
  };
  writeFileSync(file, JSON.stringify(config));
  return { directory, journal, events, file };
}

test("the unpacked command shows its version, checks a configuration and has no simulated CA", async (t) => {
  if (!(await prepareWine(t))) return;
  assert.equal((await certwire("--version")).trim(), version);
  const { directory, file, journal } = configuration();
  await certwire("check", "--offline", "--config", windowsPath(file));
  const wrong = join(directory, "wrong.jsonc");
  writeFileSync(wrong, "{}");
  const isError = (exitCode: number, text: RegExp) => (error: unknown) => {
    assert.ok(error instanceof CommandError);
    assert.match(error.message, text);
    assert.equal(error.exitCode, exitCode);
    return true;
  };
  await assert.rejects(
    certwire("check", "--offline", "--config", windowsPath(wrong)),
    isError(78, /CERTWIRE_CONFIG_INVALID/),
  );
  await assert.rejects(
    certwire("simulate", "--journal", windowsPath(journal)),
    isError(2, /the simulated CA is not part of this installation/),
  );
});

test("the unpacked service moves every event of a journal, with the programs and the addon beside it", async (t) => {
  if (!(await prepareWine(t))) return;
  const { directory, journal, events, file } = configuration();
  await runCli("simulate", "--journal", journal, "--count", "200", "--rate", "0");
  const expected = (await runCli("replay", "--journal", journal, "--stdout")).stdout;
  const host = windowsPath(join(installed, "certwire-service.exe"));
  const log = windowsPath(join(directory, "log"));
  const options = ["--config", windowsPath(file), "--log-directory", log];
  const output = join(directory, "console");
  const service = startWine(host, ["--console", ...options], output);
  t.after(() => process.kill(-Number(service.pid), "SIGKILL"));
  const idsIn = (text: string): string[] =>
    text
      .split("\n")
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as { id: string }).id);
  const written = (): string[] =>
    existsSync(events)
      ? readdirSync(events)
          .filter((name) => name.endsWith(".ndjson"))
          .flatMap((name) => idsIn(readFileSync(join(events, name), "utf8")))
      : [];
  const ids = idsIn(expected);
  assert.ok(ids.length >= 200);
  await until(() => written().length >= ids.length, "all events are in the file", {
    everyMs: 100,
    mayThrow: true,
    giveUp: () => assert.equal(service.exitCode, null, readFileSync(output, "utf8")),
    state: () => readFileSync(output, "utf8").slice(-2_000),
  });
  assert.deepEqual(written(), ids);
});
