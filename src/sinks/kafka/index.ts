import { passwordInClear, scramInClear } from "../broker-options.ts";
import { defineSinkKind } from "../sink-kind.ts";
import { certificateEnds, inspectTls } from "../tls-files.ts";
import { allTopics, kafkaDestinations } from "./destinations.ts";
import {
  kafkaRoute,
  kafkaSinkOptions,
  type ResolvedKafkaSinkOptions,
  resolveKafkaSink,
} from "./options.ts";

/** Topics of a Kafka cluster. */
export const kafka = defineSinkKind({
  kind: "kafka",
  schemes: ["kafka", "kafkas"],
  options: kafkaSinkOptions,
  route: kafkaRoute,
  resolve: resolveKafkaSink,
  inspect,
  certificates: ({ tls }) => (tls === undefined ? [] : certificateEnds(tls)),
  destination,
  destinations: (options) => kafkaDestinations(options),
  place: ({ topic }) => `topic ${topic}`,
  async create(options, log) {
    const { KafkaSink } = await import("./sink.ts");
    return new KafkaSink(options, log);
  },
});

function destination(options: ResolvedKafkaSinkOptions): string {
  const topics = allTopics(options);
  const name = topics.length === 1 ? "topic" : "topics";
  return `${name} ${topics.join(", ")} on ${options.brokers.join(", ")}`;
}

function inspect({ tls, sasl }: ResolvedKafkaSinkOptions, now: number) {
  if (tls !== undefined) return inspectTls(tls, now);
  if (sasl === undefined) return [];
  const warning = sasl.mechanism === "plain" ? passwordInClear : scramInClear;
  return [warning(["sasl", "mechanism"], "kafkas")];
}
