import type { TestContext } from "node:test";
import { connect } from "amqplib";
import { textHeaders } from "../../../src/consumer/message.ts";
import type { ContentMode } from "../../../src/sinks/broker-options.ts";
import type { KafkaCluster, RabbitmqCluster } from "../../integration/support/broker-provider.ts";
import { readKafka } from "../../integration/support/read-kafka.ts";
import type { GoldenEvent } from "../../support/golden-events.ts";
import { kafkaSink, rabbitMqSink } from "../../support/make-sink.ts";
import { publishEvents } from "../../support/publish-events.ts";
import { until } from "../../support/until.ts";

/** Headers and payload of a message. */
export interface MessageContent {
  /** With lower-case names; the content type is `content-type`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A message as a client took it from a broker. */
export interface BrokerMessage extends MessageContent {
  readonly broker: "kafka" | "rabbitmq";
  readonly mode: ContentMode;
  /** Id of the event in it, known from the place where the broker keeps it. */
  readonly id: string;
  /** Key of a Kafka record, routing key of an AMQP message. */
  readonly key: string;
}

/** The brokers that the events go through. */
export interface Brokers {
  readonly kafka: KafkaCluster;
  readonly rabbitmq: RabbitmqCluster;
}

const modes: readonly ContentMode[] = ["structured", "binary"];

/** Publishes the events in both modes to both brokers by the product's own sinks, and takes their messages from there. */
export async function messagesOf(
  t: TestContext,
  golden: readonly GoldenEvent[],
  { kafka, rabbitmq }: Brokers,
): Promise<BrokerMessage[]> {
  const all: BrokerMessage[] = [];
  for (const mode of modes) {
    all.push(...(await onKafka(t, golden, kafka, mode)));
    all.push(...(await onRabbitmq(t, golden, rabbitmq, mode)));
  }
  return all;
}

async function onKafka(
  t: TestContext,
  golden: readonly GoldenEvent[],
  kafka: KafkaCluster,
  mode: ContentMode,
): Promise<BrokerMessage[]> {
  const topic = `golden-${mode}`;
  await kafka.createTopic(topic);
  const events = golden.map(({ event }) => event);
  await publishEvents(t, events, kafkaSink(kafka.bootstrapServers, topic, { mode }));
  const records = await readKafka(kafka.bootstrapServers, topic);
  return records.map(({ key, value, headers }, at) => ({
    broker: "kafka",
    mode,
    id: events[at]?.id ?? "one too many",
    key: key ?? "",
    headers: Object.fromEntries(headers),
    body: value ?? "",
  }));
}

async function onRabbitmq(
  t: TestContext,
  golden: readonly GoldenEvent[],
  { urls }: RabbitmqCluster,
  mode: ContentMode,
): Promise<BrokerMessage[]> {
  const name = `golden-${mode}`;
  const topology = { quorumQueues: [{ name }] };
  const events = golden.map(({ event }) => event);
  await publishEvents(t, events, rabbitMqSink(urls, name, { mode, topology }));
  const connection = await connect(urls[0] ?? "");
  try {
    const channel = await connection.createChannel();
    const taken: BrokerMessage[] = [];
    const take = async (): Promise<boolean> => {
      const message = await channel.get(name, { noAck: true });
      if (message === false) return taken.length >= events.length;
      const { headers, contentType, messageId } = message.properties;
      taken.push({
        broker: "rabbitmq",
        mode,
        id: String(messageId),
        key: message.fields.routingKey,
        headers: textHeaders({ ...headers, "content-type": contentType }),
        body: message.content.toString(),
      });
      return false;
    };
    await until(take, `${name} has ${events.length} messages`, {
      everyMs: 1,
      state: () => taken.length,
    });
    return taken;
  } finally {
    await connection.close();
  }
}
