import pino from "pino";
import { kafkaSinkOptions, resolveKafkaSink } from "../../src/sinks/kafka/options.ts";
import { KafkaSink } from "../../src/sinks/kafka/sink.ts";
import { rabbitmqSinkOptions, resolveRabbitMqSink } from "../../src/sinks/rabbitmq/options.ts";
import { RabbitMqSink } from "../../src/sinks/rabbitmq/sink.ts";
import { patientEntry } from "./patient-entry.ts";

/** Takes the lines of a sink's log. */
type WriteLine = (line: string) => void;

function logTo(write: WriteLine | undefined) {
  return write ? pino({ level: "debug" }, { write }) : pino({ level: "silent" });
}

const resolveContext = {
  baseDirectory: "/",
  secret: (reference: object) => String(Object.values(reference)[0]),
};

/** A Kafka sink that waits for a slow broker, unless `settings` say otherwise. */
export function kafkaSink(
  brokers: readonly string[],
  topic: string,
  settings: object = {},
  write?: WriteLine,
) {
  const url = `kafka://${brokers.join()}/${topic}`;
  const entry = patientEntry({ name: "kafka", url, ...settings });
  return new KafkaSink(
    resolveKafkaSink(kafkaSinkOptions.parse(entry), resolveContext),
    logTo(write),
  );
}

/** A RabbitMQ sink on the nodes of `amqp://user:password@host:port` URLs, likewise. */
export function rabbitMqSink(
  urls: readonly string[],
  exchange: string,
  settings: object = {},
  write?: WriteLine,
) {
  const hosts = urls.map((url) => new URL(url).host).join();
  const url = `amqp://guest@${hosts}/?exchange=${exchange}`;
  const entry = patientEntry({ name: "rabbitmq", url, ...settings });
  const options = resolveRabbitMqSink(rabbitmqSinkOptions.parse(entry), resolveContext);
  return new RabbitMqSink(options, logTo(write));
}
