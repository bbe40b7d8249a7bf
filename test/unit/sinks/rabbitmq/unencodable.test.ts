import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import pino from "pino";
import type { OutboundEvent } from "../../../../src/events/outbound-event.ts";
import { toOutbound } from "../../../../src/events/outbound-event.ts";
import {
  rabbitmqSinkOptions,
  resolveRabbitMqSink,
} from "../../../../src/sinks/rabbitmq/options.ts";
import { RabbitMqSink } from "../../../../src/sinks/rabbitmq/sink.ts";
import { startFakeRabbitMq } from "../../../support/fake-rabbitmq.ts";
import { rabbitMqSink } from "../../../support/make-sink.ts";
import { sampleEvent, sampleOutbound } from "../../../support/sample-events.ts";

const signal = new AbortController().signal;

function outbound(changes: object): OutboundEvent {
  return toOutbound({ ...sampleEvent(1), ...changes }, Number.POSITIVE_INFINITY, (event) => event);
}

async function openSink(t: TestContext, settings: object = {}) {
  const broker = await startFakeRabbitMq(() => true);
  const sink = rabbitMqSink([broker.url], "events", { lanes: 1, mode: "binary", ...settings });
  t.after(async () => {
    await sink.close();
    broker.stop();
  });
  await sink.open(signal);
  return { sink, broker };
}

const unencodable: Readonly<Record<string, object>> = {
  "a header above 64 KiB": { subject: "s".repeat(70_000) },
  "headers above 64 KiB together": { subject: "s".repeat(40_000), extension: "e".repeat(40_000) },
  "a header with a name above 255 bytes": { ["n".repeat(300)]: "value" },
  "an id above 255 bytes": { id: "i".repeat(300) },
  "a type above 255 bytes": { type: `${"t".repeat(300)}.certificate.issued.v1` },
  "a time before 1970": { time: "1601-01-01T00:00:00Z" },
  "a time that is none": { time: "yesterday" },
};

for (const [what, changes] of Object.entries(unencodable)) {
  test(`an event with ${what} is refused alone, and the channel stays open`, async (t) => {
    const { sink, broker } = await openSink(t);
    const { acknowledged, failure } = await sink.publish(0, [outbound(changes)], signal);
    assert.equal(acknowledged, 0);
    assert.equal(failure?.kind, "poison");
    assert.deepEqual(await sink.publish(0, [sampleOutbound(2)], signal), { acknowledged: 1 });
    assert.equal(broker.connections(), 1);
  });
}

test("a routing key that is too long for every event does not condemn one of them", async (t) => {
  const broker = await startFakeRabbitMq(() => true);
  const entry = rabbitmqSinkOptions.parse({ name: "r", url: broker.url });
  const options = resolveRabbitMqSink(entry, { baseDirectory: "/", secret: () => "" });
  const routingKey = "\u{1F511}".repeat(90);
  const sink = new RabbitMqSink({ ...options, routingKey }, pino({ level: "silent" }));
  t.after(async () => {
    await sink.close();
    broker.stop();
  });
  await sink.open(signal);
  const { failure } = await sink.publish(0, [sampleOutbound(1)], signal);
  assert.equal(failure?.kind, "reset");
});
