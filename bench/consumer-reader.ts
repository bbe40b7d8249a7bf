// Reads events from a broker until it has handled EVENTS of them after WARMUP others, and prints what that took as
// one line of JSON: node consumer-reader.js kafka|rabbitmq sdk|alone ADDRESS PLACE GROUP EVENTS WARMUP
// `alone` is the client as its own guide shows it, with JSON.parse, and with the same settings as the SDK has.
import amqp from "amqplib";
import { Kafka, logLevel } from "kafkajs";
import { Consumer } from "../src/consumer/consumer.ts";
import { kafkaTopic } from "../src/consumer/kafka/topic-source.ts";
import { rabbitMqQueue } from "../src/consumer/rabbitmq/queue-source.ts";

/** What reading took. */
export interface ReadResult {
  readonly events: number;
  /** From the last event of the warm-up to the last event. */
  readonly seconds: number;
  /** Processor time of the process in that time, all threads. */
  readonly cpuSeconds: number;
  /** Largest resident memory, in MiB. */
  readonly maxRssMegabytes: number;
}

const [broker = "", way = "", address = "", place = "", group = "", wanted = "0", before = "0"] =
  process.argv.slice(2);
const events = Number(wanted);
const warmup = Number(before);
const prefetch = 100;
const client = { brokers: address.split(","), logLevel: logLevel.NOTHING };
let finish: (result: ReadResult) => void = () => undefined;
const finished = new Promise<ReadResult>((resolve) => {
  finish = resolve;
});
let handled = 0;
let startedAt = performance.now();
let startedCpu = process.cpuUsage();

/** Counts an event, which was parsed. */
function handle(event: { readonly id: string }): void {
  if (event.id === "") throw new Error("an event without id");
  handled += 1;
  if (handled === warmup) {
    startedAt = performance.now();
    startedCpu = process.cpuUsage();
  }
  if (handled === warmup + events) finish(measure());
}

function measure(): ReadResult {
  const { user, system } = process.cpuUsage(startedCpu);
  return {
    events,
    seconds: (performance.now() - startedAt) / 1_000,
    cpuSeconds: (user + system) / 1_000_000,
    maxRssMegabytes: Math.round(process.resourceUsage().maxRSS / 1_024),
  };
}

async function readWithSdk(): Promise<ReadResult> {
  const source =
    broker === "kafka"
      ? kafkaTopic({ client, topic: place, groupId: group })
      : rabbitMqQueue({ connection: address, queue: place, prefetch });
  const consumer = new Consumer({ source, handlers: { otherwise: handle } });
  const running = consumer.run();
  const result = await Promise.race([finished, running.then(endedEarly)]);
  await consumer.stop();
  await running;
  return result;
}

function endedEarly(): never {
  throw new Error(`the consumer ended after ${handled} events`);
}

async function readWithKafkajs(): Promise<ReadResult> {
  const consumer = new Kafka(client).consumer({ groupId: group, maxWaitTimeInMs: 1_000 });
  await consumer.connect();
  await consumer.subscribe({ topic: place, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message }) => handle(JSON.parse(String(message.value))),
  });
  const result = await finished;
  await consumer.disconnect();
  return result;
}

async function readWithAmqplib(): Promise<ReadResult> {
  const connection = await amqp.connect(address);
  const channel = await connection.createChannel();
  await channel.prefetch(prefetch);
  await channel.consume(place, (message) => {
    if (message === null) return;
    handle(JSON.parse(message.content.toString()));
    channel.ack(message);
  });
  const result = await finished;
  await connection.close();
  return result;
}

const alone = broker === "kafka" ? readWithKafkajs : readWithAmqplib;
const result = await (way === "sdk" ? readWithSdk() : alone());
process.stdout.write(`${JSON.stringify(result)}\n`);
