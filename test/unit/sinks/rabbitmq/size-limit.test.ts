import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type FakeRequest, startFakeRabbitMq } from "../../../support/fake-rabbitmq.ts";
import { rabbitMqSink } from "../../../support/make-sink.ts";
import { MemorySource } from "../../../support/memory-source.ts";
import { range, testPipeline } from "../../../support/run-pipeline.ts";
import { sampleEvent } from "../../../support/sample-events.ts";
import { until } from "../../../support/until.ts";

const kibibyte = 1024;

interface Case {
  /** `max_message_size` of the broker. */
  limit: { bytes: number };
  readonly replyCode?: 311 | 406;
  readonly settings?: object;
  /** Every third event has this size. */
  readonly largeBytes?: number;
  readonly canShrink?: boolean;
}

function refusal({ limit, replyCode = 406 }: Case, { method, size }: FakeRequest) {
  if (method !== "60.40" || size <= limit.bytes) return undefined;
  const sizes = `PRECONDITION_FAILED - message size ${size} is larger than configured max size ${limit.bytes}`;
  const replyText = replyCode === 406 ? sizes : "CONTENT_TOO_LARGE";
  return { closes: "channel", replyCode, replyText } as const;
}

async function setUp(t: TestContext, example: Case) {
  const { largeBytes = 300 * kibibyte, canShrink = true, settings } = example;
  const broker = await startFakeRabbitMq(() => true, {
    refuse: (request) => refusal(example, request),
  });
  t.after(() => broker.stop());
  const lines: { level: number; msg: string }[] = [];
  const sink = rabbitMqSink([broker.url], "events", settings, (line) =>
    lines.push(JSON.parse(line)),
  );
  const events = range(1, 60).map((n) => sampleEvent(n, `ca/${n}`, n % 3 === 0 ? largeBytes : 0));
  const running = await testPipeline(t, new MemorySource(events), sink, {
    ...(canShrink && { shrink: (event) => ({ ...event, data: {} }) }),
  });
  const warnings = () => lines.filter(({ level }) => level >= 40);
  return { ...running, broker, sink, warnings };
}

/** Ends a pipeline with its test, so that a failure does not keep the process alive. */
function endOf(t: TestContext): AbortSignal {
  const end = new AbortController();
  t.after(() => end.abort());
  return end.signal;
}

for (const mode of ["structured", "binary"]) {
  test(`with max_message_size below an event the limit is learned, in ${mode} mode`, async (t) => {
    const { pipeline, deadLetters, sink, warnings, logLines } = await setUp(t, {
      limit: { bytes: 100 * kibibyte },
      settings: { mode },
    });
    await pipeline.run(endOf(t));
    assert.equal(pipeline.stats().acknowledgedEvents, 60);
    assert.equal(sink.limits.maxEventBytes, 100 * kibibyte);
    assert.equal(pipeline.stats().relayouts, 1);
    await assert.rejects(deadLetters(), { code: "ENOENT" });
    assert.deepEqual(
      warnings().map(({ msg }) => msg),
      ["the broker accepts smaller messages only: larger events are made smaller"],
    );
    assert.ok(logLines.length < 20, `${logLines.length} lines`);
  });
}

test("without a number in the broker's answer the limit is lowered by a quarter until it fits", async (t) => {
  const { pipeline, sink, deadLetters } = await setUp(t, {
    limit: { bytes: 200 * kibibyte },
    replyCode: 311,
  });
  await pipeline.run(endOf(t));
  assert.equal(pipeline.stats().acknowledgedEvents, 60);
  const { maxEventBytes } = sink.limits;
  assert.ok(maxEventBytes > 200 * kibibyte && maxEventBytes < 300 * kibibyte, `${maxEventBytes}`);
  await assert.rejects(deadLetters(), { code: "ENOENT" });
});

test("an event that cannot be made smaller waits with an alarm, and goes out when the limit is raised", async (t) => {
  const limit = { bytes: 20 * kibibyte };
  const { pipeline, deadLetters, logLines } = await setUp(t, { limit, canShrink: false });
  const running = pipeline.run(endOf(t));
  await until(() => /alarm|stopped/.test(pipeline.stats().state), "the alarm is raised");
  assert.equal(pipeline.stats().state, "alarm");
  const { code, hint } = logLines.findLast(({ kind }) => kind === "config") ?? {};
  assert.equal(code, "CERTWIRE_SINK_CONFIG");
  assert.match(String(hint), /max_message_size/);
  limit.bytes = 10 ** 9;
  await running;
  assert.equal(pipeline.stats().acknowledgedEvents, 60);
  await assert.rejects(deadLetters(), { code: "ENOENT" });
});

test("a limit below the least size of an event lowers ours to 16 KiB and no further", async (t) => {
  const limit = { bytes: 10 * kibibyte };
  const { pipeline, sink } = await setUp(t, { limit, canShrink: false, largeBytes: 18 * kibibyte });
  const running = pipeline.run(endOf(t));
  await until(() => /alarm|stopped/.test(pipeline.stats().state), "the alarm is raised");
  assert.equal(pipeline.stats().state, "alarm");
  assert.equal(sink.limits.maxEventBytes, 16 * kibibyte);
  limit.bytes = 10 ** 9;
  await running;
});
