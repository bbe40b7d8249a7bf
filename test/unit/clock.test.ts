import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import { test } from "node:test";
import { clock } from "../../src/clock.ts";

/**
 * Parts of src that the service does not run: commands, which end by themselves, and what runs in a consumer's process
 * or in a test of one.
 */
const outside = ["ca", "cli", "consumer", "doctor", "simulate", "testing"];

const exempt = [
  join("src", "clock.ts"),
  // Its timer belongs to kafkajs, which also clears it.
  join("src", "kafka", "request-queue.ts"),
];

/** What only `src/clock.ts` may use. */
const own = [
  /(?<![\w.])(?:globalThis\.)?(?:setTimeout|setInterval|setImmediate|clearTimeout|clearInterval)\(/,
  /"(?:node:)?(?:timers|timers\/promises|perf_hooks)"/,
  /\bperformance\b/,
  /\bDate\.now\b/,
  /\bnew Date\(\s*\)/,
  /(?<!new )\bDate\(/,
  /\bMath\.random\b/,
  /\b(?:randomUUID|randomBytes|randomInt|getRandomValues)\b/,
  /\bAbortSignal\.timeout\b/,
  /\bprocess\.(?:hrtime|uptime)\b/,
];

/** The code of a file without its comments. */
function codeOf(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*$/gm, "");
}

function breaksRule(text: string): boolean {
  const code = codeOf(text);
  return own.some((pattern) => pattern.test(code));
}

test("what the service runs takes time, timers and chance from its clock", () => {
  const against = readdirSync("src", { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !outside.includes(name.split(sep)[0] ?? ""))
    .map((name) => join("src", name))
    .filter((path) => !exempt.includes(path) && breaksRule(readFileSync(path, "utf8")));
  assert.deepEqual(against, []);
});

for (const line of [
  "const timer = setTimeout(done, 10);",
  "globalThis.setInterval(tick, 1000);",
  "setImmediate(done);",
  "clearTimeout(timer);",
  'import { setTimeout as delay } from "node:timers/promises";',
  'import { performance } from "node:perf_hooks";',
  "const at = performance.now();",
  "const at = Date.now();",
  "const at = new Date();",
  "const text = Date();",
  "const half = Math.random() / 2;",
  'import { randomUUID } from "node:crypto";',
  "const signal = AbortSignal.timeout(100);",
  "const at = process.hrtime.bigint();",
]) {
  test(`the rule of the clock refuses ${line}`, () => {
    assert.ok(breaksRule(line));
  });
}

for (const line of [
  "const timer = clock.setTimeout(done, 10);",
  "const day = new Date(ms).toISOString();",
  "const ms = Date.parse(text);",
  "server.setTimeout(idleMs);",
  "// like setTimeout(done, 10)",
  "/** A time of Date.now() or performance.now(). */",
]) {
  test(`the rule of the clock accepts ${line}`, () => {
    assert.ok(!breaksRule(line));
  });
}

test("the clock's timers call back, and a cleared one does not", async () => {
  const calls: string[] = [];
  const cleared = clock.setTimeout(() => calls.push("cleared"), 1);
  clock.clear(cleared);
  clock.clear(undefined);
  await new Promise<void>((resolve) => {
    const timer = clock.setInterval(() => {
      calls.push("interval");
      if (calls.length < 2) return;
      clock.clear(timer);
      resolve();
    }, 1);
  });
  await new Promise<void>((resolve) => {
    clock.setTimeout(resolve, 1);
  });
  assert.deepEqual(calls, ["interval", "interval"]);
});

test("the clock's delay ends with its signal", async () => {
  const stop = new AbortController();
  const waiting = clock.delay(3_600_000, { signal: stop.signal });
  stop.abort();
  await assert.rejects(waiting, { name: "AbortError" });
});
