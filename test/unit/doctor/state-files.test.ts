import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { logsOf } from "../../../src/doctor/state-files.ts";
import { temporaryDirectory } from "../../support/run-cli.ts";

test("the end of a log is read, and no link, FIFO or directory in the place of one", async (t) => {
  const directory = temporaryDirectory(t);
  const [state, log, other] = ["state", "state/log", "other.txt"].map((name) =>
    join(directory, name),
  ) as [string, string, string];
  mkdirSync(log, { recursive: true });
  writeFileSync(other, "of somebody else\n");
  const place = (number: number): string => join(log, `service-00000${number}.log`);
  writeFileSync(place(1), "first\nsecond\n");
  symlinkSync(other, place(2));
  linkSync(other, place(3));
  execFileSync("mkfifo", [place(4)]);
  mkdirSync(place(5));
  const own = [{ name: "service-000001.log", lines: ["first", "second"] }];
  assert.deepEqual(await logsOf(state), own);
  assert.deepEqual(await logsOf(undefined, `x.exe --log-directory "${log}"`), own);
  renameSync(log, join(directory, "elsewhere"));
  symlinkSync(join(directory, "elsewhere"), log);
  assert.deepEqual(await logsOf(state), [], "the directory is a link");
});
