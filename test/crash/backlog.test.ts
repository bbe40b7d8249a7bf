import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const program = fileURLToPath(new URL("../../bench/backlog.js", import.meta.url));

interface Figures {
  readonly firstPublishMs: number;
  readonly cpuMicrosecondsPerEvent: { readonly ratio: number };
  readonly rssMegabytes: { readonly quarter: number; readonly most: number };
}

test("a backlog of 256 MiB does not delay the start, fill memory, or raise the cost of an event", async (context) => {
  const { stdout } = await promisify(execFile)(process.execPath, [program, "--megabytes", "256"]);
  const { firstPublishMs, cpuMicrosecondsPerEvent, rssMegabytes } = JSON.parse(stdout) as Figures;
  context.diagnostic(stdout.replaceAll(/\s+/g, " "));
  assert.ok(firstPublishMs < 1000);
  assert.ok(rssMegabytes.most - rssMegabytes.quarter < 64);
  // The aim is 1.2; a busy machine gets some more.
  assert.ok(cpuMicrosecondsPerEvent.ratio < 1.4);
});
