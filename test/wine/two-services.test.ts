import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeTempDirectory } from "../integration/support/temp-directory.ts";
import { until } from "../support/until.ts";
import { WindowsService } from "./support/windows-service.ts";
import { prepareWine } from "./support/wine.ts";

test("on Windows a state directory has one service at a time, and is free at once after a kill", async (t) => {
  if (!(await prepareWine(t))) return;
  const directory = makeTempDirectory("two-services");
  const journalDirectory = join(directory, "journal");
  mkdirSync(journalDirectory);
  const start = async (): Promise<WindowsService> => {
    const sinks = [{ name: "files", url: "file:events" }];
    const service = await WindowsService.start({ directory, journalDirectory, sinks });
    t.after(() => service.kill());
    return service;
  };
  const logHas = (text: RegExp, times: number) => {
    const attempt = async (): Promise<boolean> => {
      const log = readFileSync(join(directory, "service.log"), "utf8");
      return log.split("\n").filter((line) => text.test(line)).length >= times;
    };
    return until(attempt, `${text} is in the log`, { mayThrow: true, everyMs: 100 });
  };
  const first = await start();
  await logHas(/"msg":"started"/, 1);
  const second = await start();
  await logHas(/CERTWIRE_DIRECTORY_IN_USE: process \d+ on .+ is using /, 1);
  await first.kill();
  const third = await start();
  await logHas(/"msg":"started"/, 2);
  assert.equal(await third.stop(), 0);
  assert.equal(await second.stop(), 75);
});
