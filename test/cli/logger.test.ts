import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { createLogger } from "../../src/cli/logger.ts";
import { temporaryDirectory } from "../support/run-cli.ts";
import { settled, until } from "../support/until.ts";

const logProcess = fileURLToPath(new URL("../support/log-process.js", import.meta.url));
const main = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));

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
  context.after(() => service.kill("SIGKILL"));
  const checkpoint = join(directory, "state", "checkpoints", "files");
  await until(() => existsSync(checkpoint), "the service is at work");
  service.stdin?.end();
  const [exitCode] = await once(service, "close");
  assert.equal(exitCode, 0);
});

test("a pipe that is not read delays neither timers nor SIGTERM, and its lost lines are counted", async (context) => {
  const child = spawn(process.execPath, [logProcess], { stdio: "pipe" });
  context.after(() => child.kill("SIGKILL"));
  const said = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = () => settled(said.next(), "the process has said something");
  assert.deepEqual(await next(), { done: false, value: "timers go on" });
  const lines: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => lines.push(line));
  await until(() => lines.some((line) => line.includes("droppedLines")), "the loss is logged");
  // Lines that were dropped after the last written one are counted by none: a short one ends them.
  const ask = (): boolean => {
    child.kill("SIGTERM");
    return lines.some((line) => line.includes('"last"'));
  };
  await until(ask, "a line is written after the long ones", { everyMs: 100 });
  child.kill("SIGINT");
  const [exitCode] = await settled(once(child, "close"), "the process has ended");
  assert.equal(exitCode, 0);
  const written = lines.map(parsed).filter((line) => line !== undefined);
  const dropped = written.map(({ droppedLines = 0 }) => droppedLines);
  const total = written.length + dropped.reduce((sum, count) => sum + count, 0);
  assert.deepEqual(await next(), { done: false, value: `logged ${total}` });
});

/** `undefined` for the part of a line that the pipe took before it was full. */
function parsed(line: string): { readonly droppedLines?: number } | undefined {
  try {
    return JSON.parse(line) as { droppedLines?: number };
  } catch {
    return undefined;
  }
}
