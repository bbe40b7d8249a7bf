import { type Logger, pino } from "pino";
import type { ResolvedSinkOptions } from "./common-options.ts";
import type { ResolvedFileSinkOptions } from "./file/options.ts";
import type { ResolvedKafkaSinkOptions } from "./kafka/options.ts";
import type { ResolvedRabbitMqSinkOptions } from "./rabbitmq/options.ts";
import type { Sink } from "./sink.ts";

/** Resolved options of each kind of sink. */
export interface SinkOptionsByKind {
  readonly kafka: ResolvedKafkaSinkOptions;
  readonly rabbitmq: ResolvedRabbitMqSinkOptions;
  readonly file: ResolvedFileSinkOptions;
  readonly stdout: ResolvedSinkOptions;
}

/** Kind of a sink. */
export type SinkKind = keyof SinkOptionsByKind;

/** A sink as the configuration describes it, its secrets and paths resolved. */
export type SinkConfiguration = {
  [Kind in SinkKind]: { readonly kind: Kind; readonly options: SinkOptionsByKind[Kind] };
}[SinkKind];

type Factories = {
  [Kind in SinkKind]: (options: SinkOptionsByKind[Kind], log: Logger) => Promise<Sink>;
};

// The client library of a kind is loaded only when a sink of that kind is made.
const factories: Factories = {
  async kafka(options, log) {
    const { KafkaSink } = await import("./kafka/index.ts");
    return new KafkaSink(options, log);
  },
  async rabbitmq(options, log) {
    const { RabbitMqSink } = await import("./rabbitmq/index.ts");
    return new RabbitMqSink(options, log);
  },
  async file(options) {
    const { FileSink } = await import("./file/index.ts");
    return new FileSink(options);
  },
  async stdout(options) {
    const { StdoutSink } = await import("./stdout/index.ts");
    return new StdoutSink(options);
  },
};

/** Makes a sink that is not opened yet; without a logger its warnings go nowhere. */
export function createSink<Kind extends SinkKind>(
  sink: { readonly kind: Kind; readonly options: SinkOptionsByKind[Kind] },
  log: Logger = pino({ level: "silent" }),
): Promise<Sink> {
  return factories[sink.kind](sink.options, log);
}
