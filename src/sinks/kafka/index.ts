import { passwordInClear, scramInClear } from "../broker-options.ts";
import { defineSinkKind } from "../sink-kind.ts";
import { inspectTls } from "../tls-files.ts";
import { kafkaSinkOptions, type ResolvedKafkaSinkOptions, resolveKafkaSink } from "./options.ts";

/** A Kafka topic. */
export const kafka = defineSinkKind({
  kind: "kafka",
  schemes: ["kafka", "kafkas"],
  options: kafkaSinkOptions,
  resolve: resolveKafkaSink,
  inspect,
  destination: ({ topic, brokers }) => `topic ${topic} on ${brokers.join(", ")}`,
  async create(options, log) {
    const { KafkaSink } = await import("./sink.ts");
    return new KafkaSink(options, log);
  },
});

function inspect({ tls, sasl }: ResolvedKafkaSinkOptions, now: number) {
  if (tls !== undefined) return inspectTls(tls, now);
  if (sasl === undefined) return [];
  const warning = sasl.mechanism === "plain" ? passwordInClear : scramInClear;
  return [warning(["sasl", "mechanism"], "kafkas")];
}
