import type { Logger } from "pino";
import type { z } from "zod";
import type { ResolvedSinkOptions } from "./common-options.ts";
import { fileSinkOptions, resolveFileSink } from "./file/options.ts";
import type { ResolveContext } from "./secret-reference.ts";
import type { Sink } from "./sink.ts";
import { resolveStdoutSink, stdoutSinkOptions } from "./stdout/options.ts";

/** A sink as the configuration describes it, not opened yet. */
export interface ConfiguredSink {
  readonly kind: string;
  readonly options: ResolvedSinkOptions;
  /** Makes the sink; its client library is loaded only now. */
  create(log: Logger): Promise<Sink>;
}

/** One kind of sink: how its entry looks, and how to make a sink of it. */
export interface SinkKind {
  readonly kind: string;
  /** URL schemes that stand for this kind, with the colon. */
  readonly schemes: readonly string[];
  /** Schema of an entry of the configuration file. */
  readonly schema: z.ZodObject;
  /** Checks an entry and resolves its secrets and paths; throws ZodError or CertwireError. */
  configure(entry: unknown, context: ResolveContext): ConfiguredSink;
}

/** Every kind of sink. */
export const sinkKinds: readonly SinkKind[] = [
  defineKind({
    kind: "file",
    schemes: ["file:"],
    schema: fileSinkOptions,
    resolve: resolveFileSink,
    async create(options) {
      const { FileSink } = await import("./file/sink.ts");
      return new FileSink(options);
    },
  }),
  defineKind({
    kind: "stdout",
    schemes: ["stdout:"],
    schema: stdoutSinkOptions,
    resolve: resolveStdoutSink,
    async create(options) {
      const { StdoutSink } = await import("./stdout/sink.ts");
      return new StdoutSink(options);
    },
  }),
];

/** The kind that a sink's URL stands for; `undefined` for an unknown scheme. */
export function sinkKindOf(url: string): SinkKind | undefined {
  const scheme = url.slice(0, url.indexOf(":") + 1);
  return sinkKinds.find(({ schemes }) => schemes.includes(scheme));
}

interface KindDefinition<Schema extends z.ZodObject, Options extends ResolvedSinkOptions> {
  readonly kind: string;
  readonly schemes: readonly string[];
  readonly schema: Schema;
  resolve(entry: z.infer<Schema>, context: ResolveContext): Options;
  create(options: Options, log: Logger): Promise<Sink>;
}

function defineKind<Schema extends z.ZodObject, Options extends ResolvedSinkOptions>(
  definition: KindDefinition<Schema, Options>,
): SinkKind {
  const { kind, schemes, schema } = definition;
  return {
    kind,
    schemes,
    schema,
    configure(entry, context) {
      const options = definition.resolve(schema.parse(entry), context);
      return { kind, options, create: (log) => definition.create(options, log) };
    },
  };
}
