import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createLogger } from "../../../src/cli/logger.ts";
import { temporaryDirectory } from "../../support/run-cli.ts";

const main = fileURLToPath(new URL("../../../src/cli/main.js", import.meta.url));

test("lines go to the file, one JSON object each", (context) => {
  const file = join(temporaryDirectory(context), "log");
  createLogger("info", file).info("first");
  assert.match(readFileSync(file, "utf8"), /^\{.*"msg":"first"\}\n$/);
});

test("a log on a full disk neither throws nor ends the service", async (context) => {
  if (!existsSync("/dev/full")) return context.skip("there is no /dev/full");
  createLogger("info", "/dev/full").info("dropped");
  const directory = temporaryDirectory(context);
  const config = join(directory, "certwire.json");
  const places = { journal: { directory }, state: { directory: "state" } };
  const sinks = [{ name: "files", url: "file:events" }];
  writeFileSync(config, JSON.stringify({ ...places, sinks }));
  const full = openSync("/dev/full", "w");
  const words = [main, "run", "-c", config, "--stop-on-stdin-end"];
  const service = spawn(process.execPath, words, { stdio: ["pipe", "ignore", full] });
  closeSync(full);
  await delay(1000);
  service.stdin?.end();
  const [exitCode] = await once(service, "close");
  assert.equal(exitCode, 0);
});
