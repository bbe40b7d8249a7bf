import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { scaled } from "../support/scale.ts";

const program = fileURLToPath(new URL("../../bench/backlog.js", import.meta.url));
/** Far more events than may be under way at the same time; `npm run bench` takes the times. */
const megabytes = scaled(256, { least: 128 });
/** A few chunks of the reader; the smallest backlog has 8,192 frames. */
const mostFramesBeforePublish = 1024;

interface Figures {
  readonly framesBeforePublish: number;
  readonly rssMegabytes: { readonly quarter: number; readonly most: number };
}

test("a backlog delays no start and fills no memory", async (context) => {
  const args = [program, "--megabytes", String(megabytes), "--runs", "1"];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const { framesBeforePublish, rssMegabytes } = JSON.parse(stdout) as Figures;
  context.diagnostic(stdout.replaceAll(/\s+/g, " "));
  assert.ok(framesBeforePublish <= mostFramesBeforePublish, `${framesBeforePublish} frames`);
  assert.ok(rssMegabytes.most - rssMegabytes.quarter < 64);
});
