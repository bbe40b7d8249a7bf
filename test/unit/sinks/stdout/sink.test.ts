import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { test } from "node:test";
import { resolveStdoutSink, stdoutSinkOptions } from "../../../../src/sinks/stdout/options.ts";
import { StdoutSink } from "../../../../src/sinks/stdout/sink.ts";
import { sampleOutbound } from "../../../support/sample-events.ts";
import { turns } from "../../../support/until.ts";

const options = resolveStdoutSink(stdoutSinkOptions.parse({ name: "out", url: "stdout:" }));
const signal = new AbortController().signal;

test("a batch is acknowledged only when the reader has taken it", async () => {
  const taken: (() => void)[] = [];
  const stream = new Writable({ write: (_chunk, _encoding, done) => void taken.push(done) });
  const sink = new StdoutSink(options, stream);
  await sink.open();
  let isDone = false;
  const publishing = sink.publish(0, [sampleOutbound(1)], signal).finally(() => (isDone = true));
  await turns();
  assert.equal(isDone, false);
  taken[0]?.();
  assert.deepEqual(await publishing, { acknowledged: 1 });
  await sink.close();
});

test("a reader that went away is a failure that an operator must act on, and no crash", async () => {
  const error = Object.assign(new Error("write EPIPE"), { code: "EPIPE" });
  const stream = new Writable({ write: (_chunk, _encoding, done) => done(error) });
  const sink = new StdoutSink(options, stream);
  await sink.open();
  const outcome = await sink.publish(0, [sampleOutbound(1)], signal);
  assert.equal(outcome.acknowledged, 0);
  assert.equal(outcome.failure?.kind, "config");
  await sink.close();
});
