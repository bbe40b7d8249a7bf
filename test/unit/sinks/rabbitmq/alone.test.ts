// Events whose content makes the broker end the whole connection, with events of other lanes on it.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { startFakeRabbitMq } from "../../../support/fake-rabbitmq.ts";
import { rabbitMqSink } from "../../../support/make-sink.ts";
import { MemorySource } from "../../../support/memory-source.ts";
import { neverStopped, range, testPipeline } from "../../../support/run-pipeline.ts";
import { sampleEvent, sequenceOf } from "../../../support/sample-events.ts";
import { until } from "../../../support/until.ts";

const badBytes = 50_000;

async function setUp(t: TestContext, reply: { replyCode: number; replyText: string }) {
  const condition = { isOver: false };
  const broker = await startFakeRabbitMq(() => true, {
    refuse: ({ method, size }) =>
      method === "60.40" && size > badBytes && !condition.isOver
        ? { closes: "connection", ...reply }
        : undefined,
  });
  t.after(() => broker.stop());
  const sink = rabbitMqSink([broker.url], "events", { lanes: 4 });
  const events = range(1, 60).map((n) => sampleEvent(n, `ca/${n}`, n % 20 === 0 ? badBytes : 0));
  const running = await testPipeline(t, new MemorySource(events), sink);
  return { ...running, condition };
}

for (const replyCode of [501, 502, 505]) {
  test(`${replyCode} condemns the events that cause it, and none that was on the same connection`, async (t) => {
    const { pipeline, deadLetters } = await setUp(t, { replyCode, replyText: "bad bytes" });
    await pipeline.run(neverStopped);
    const condemned = (await deadLetters()).map(({ event }) => event && sequenceOf(event));
    assert.deepEqual(
      condemned.toSorted((a, b) => Number(a) - Number(b)),
      [20, 40, 60],
    );
    assert.equal(pipeline.stats().acknowledgedEvents, 57);
  });
}

test("headers above frame_max wait with an alarm, and go out when it is raised", async (t) => {
  const replyText = "FRAME_ERROR - type 2, all octets = <<>>: {frame_too_large,5000,4088}";
  const { pipeline, deadLetters, condition } = await setUp(t, { replyCode: 501, replyText });
  const running = pipeline.run(neverStopped);
  await until(() => pipeline.stats().state === "alarm", "the alarm is raised");
  condition.isOver = true;
  await running;
  assert.equal(pipeline.stats().acknowledgedEvents, 60);
  await assert.rejects(deadLetters(), { code: "ENOENT" });
});
