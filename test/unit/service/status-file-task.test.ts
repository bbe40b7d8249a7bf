import assert from "node:assert/strict";
import { mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Status } from "../../../src/health/status.ts";
import { keepStatusFile } from "../../../src/service/status-file-task.ts";
import { collectLog } from "../../support/collect-log.ts";
import { temporaryDirectory } from "../../support/run-cli.ts";
import { sampleObservation } from "../../support/sample-observation.ts";
import { until } from "../../support/until.ts";

test("the newest status stands in the file, and one that cannot be written is logged", async (t) => {
  const root = temporaryDirectory(t);
  const directory = join(root, "state");
  mkdirSync(directory);
  const path = join(directory, "status.json");
  const { log, lines } = collectLog();
  let state: Status["state"] = "ok";
  const sample = sampleObservation();
  const status = { observe: async () => ({ ...sample, status: { ...sample.status, state } }) };
  const stop = new AbortController();
  const ended = keepStatusFile({ status, log, path, intervalMs: 1 }, stop.signal);
  const written = () => {
    try {
      return (JSON.parse(readFileSync(path, "utf8")) as Status).state;
    } catch {
      return undefined;
    }
  };
  await until(() => written() === "ok", "the status is written");
  assert.deepEqual(lines, []);
  state = "failing";
  await until(() => written() === "failing", "the next status is written");
  renameSync(directory, join(root, "elsewhere"));
  await until(() => lines.length > 0, "the missing directory is logged");
  stop.abort();
  await ended;
  assert.equal(lines[0]?.["msg"], "cannot write the status file");
  assert.match(String(lines[0]?.["error"]), /ENOENT/);
});
