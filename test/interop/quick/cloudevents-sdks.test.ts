import assert from "node:assert/strict";
import { after, before, suite, type TestContext, test } from "node:test";
import { CloudEvent, HTTP, Kafka, type KafkaMessage } from "cloudevents";
import type { KafkaCluster, RabbitmqCluster } from "../../integration/support/broker-provider.ts";
import { startKafka, startRabbitmq } from "../../integration/support/brokers.ts";
import { startAll } from "../../integration/support/start-all.ts";
import { readGoldenEvents } from "../../support/golden-events.ts";
import { type BrokerMessage, type MessageContent, messagesOf } from "../support/broker-messages.ts";
import { pythonPath, pythonProgram } from "../support/python.ts";
import { keepResult, npmVersion, passedMessages, pythonVersion } from "../support/results.ts";
import { askProgram, assertUnderstood, type SdkAnswer } from "../support/sdk-program.ts";

type SdkEvent = CloudEvent<unknown>;

const golden = readGoldenEvents();

/** The message of an event on Kafka, read and written by the SDK's binding for Kafka. */
function throughKafka({ headers, key, body, mode }: BrokerMessage): [SdkEvent, MessageContent] {
  const received: KafkaMessage = { headers, key, value: body, body };
  const event = one(Kafka.toEvent<unknown>(received));
  const again = mode === "binary" ? Kafka.binary(event) : Kafka.structured(event);
  return [event, { headers: texts(again.headers), body: textOf(again.body) }];
}

/** The SDK has no binding for AMQP 0-9-1; the headers are those of its binding for HTTP. */
function throughRabbitmq({ headers, body, mode }: BrokerMessage): [SdkEvent, MessageContent] {
  const event = one(HTTP.toEvent<unknown>({ headers, body }));
  const again = mode === "binary" ? HTTP.binary(event) : HTTP.structured(event);
  return [event, { headers: texts(again.headers), body: textOf(again.body) }];
}

function one(event: unknown): SdkEvent {
  assert.ok(event instanceof CloudEvent);
  return event;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function texts(values: object): Record<string, string> {
  const known = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known.map(([name, value]) => [name.toLowerCase(), String(value)]));
}

function askJavaScript(message: BrokerMessage): SdkAnswer {
  const read = message.broker === "kafka" ? throughKafka : throughRabbitmq;
  const [event, again] = read(message);
  const { data: _, time = "", ...attributes } = event.toJSON();
  return { timeMs: Date.parse(String(time)), attributes: texts(attributes), again };
}

suite("the official CloudEvents SDKs read every golden event from real brokers, in both modes, and write it again", () => {
  let kafka: KafkaCluster;
  let rabbitmq: RabbitmqCluster;
  let published: Promise<BrokerMessage[]> | undefined;
  before(async () => {
    [kafka, rabbitmq] = await startAll(startKafka(), startRabbitmq());
  });
  after(async () => {
    await Promise.all([kafka?.stop(), rabbitmq?.stop()]);
  });

  function messages(t: TestContext): Promise<BrokerMessage[]> {
    published ??= messagesOf(t, golden, { kafka, rabbitmq });
    return published;
  }

  test("JavaScript", async (t) => {
    const all = await messages(t);
    assert.equal(assertUnderstood(golden, all, all.map(askJavaScript)), 4 * golden.length);
    keepResult({
      software: "JavaScript: `cloudevents`",
      version: npmVersion("cloudevents"),
      passed: passedMessages(all),
    });
  });

  test("Python", async (t) => {
    const all = await messages(t);
    const answers = await askProgram(pythonPath(), [pythonProgram("cloudevents_sdk.py")], all);
    assert.equal(assertUnderstood(golden, all, answers), 4 * golden.length);
    keepResult({
      software: "Python: `cloudevents`",
      version: pythonVersion("cloudevents"),
      passed: passedMessages(all),
    });
  });
});
