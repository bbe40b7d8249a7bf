import { z } from "zod";
import { fileSinkOptions, resolveFileSink } from "../sinks/file/options.ts";
import { kafkaSinkOptions, resolveKafkaSink } from "../sinks/kafka/options.ts";
import { rabbitmqSinkOptions, resolveRabbitMqSink } from "../sinks/rabbitmq/options.ts";
import type { SinkConfiguration, SinkKind } from "../sinks/registry.ts";
import type { ResolveContext } from "../sinks/secret-reference.ts";
import { resolveStdoutSink, stdoutSinkOptions } from "../sinks/stdout/options.ts";
import { didYouMean } from "./did-you-mean.ts";

/** The kinds of sinks, with the URL schemes that choose them and the schema of their entries. */
export const sinkKinds = {
  kafka: { schemes: ["kafka", "kafkas"], options: kafkaSinkOptions },
  rabbitmq: { schemes: ["amqp", "amqps"], options: rabbitmqSinkOptions },
  file: { schemes: ["file"], options: fileSinkOptions },
  stdout: { schemes: ["stdout"], options: stdoutSinkOptions },
} as const satisfies Record<SinkKind, unknown>;

/** An entry of `sinks` that its schema has accepted, with the kind that its URL chose. */
export type SinkEntry = {
  [Kind in SinkKind]: {
    readonly kind: Kind;
    readonly options: z.infer<(typeof sinkKinds)[Kind]["options"]>;
  };
}[SinkKind];

type Issue = z.core.$ZodRawIssue;

/** Kind of sink that a URL asks for; `undefined` when its scheme is not known. */
export function sinkKindOf(url: unknown): SinkKind | undefined {
  const scheme = typeof url === "string" ? url.slice(0, Math.max(0, url.indexOf(":"))) : "";
  const kinds = Object.keys(sinkKinds) as SinkKind[];
  return kinds.find((kind) => (sinkKinds[kind].schemes as readonly string[]).includes(scheme));
}

/** Checks one entry of `sinks` against the schema of its kind only, so that messages stay short. */
export function parseSinkEntry(value: unknown): { entry?: SinkEntry; issues: Issue[] } {
  const head = z.looseObject({ url: z.string() }).safeParse(value);
  if (!head.success) return { issues: rawIssues(head.error, value) };
  const kind = sinkKindOf(head.data.url);
  if (kind === undefined) return { issues: [unknownScheme(head.data.url)] };
  const parsed = sinkKinds[kind].options.safeParse(value);
  if (!parsed.success) return { issues: rawIssues(parsed.error, value) };
  return { entry: { kind, options: parsed.data } as SinkEntry, issues: [] };
}

function rawIssues(error: z.ZodError, input: unknown): Issue[] {
  return error.issues.map((issue) => ({ ...issue, input }) as Issue);
}

function unknownScheme(url: string): Issue {
  const schemes = Object.values(sinkKinds).flatMap((kind): readonly string[] => kind.schemes);
  const scheme = /^[a-z0-9+.-]*(?=:)/i.exec(url)?.[0];
  const near = scheme && didYouMean(scheme, schemes);
  return {
    code: "custom",
    path: ["url"],
    input: url,
    message: scheme ? `no sink is known for ${scheme}: URLs` : "must be a URL",
    params: {
      hint: near ? `Did you mean "${near}:"?` : `URLs begin with ${schemes.join(":, ")}:.`,
    },
  };
}

/** Reads the secrets of an entry and makes its paths absolute. Throws a CertwireError. */
export function resolveSink(entry: SinkEntry, context: ResolveContext): SinkConfiguration {
  switch (entry.kind) {
    case "kafka":
      return { kind: entry.kind, options: resolveKafkaSink(entry.options, context) };
    case "rabbitmq":
      return { kind: entry.kind, options: resolveRabbitMqSink(entry.options, context) };
    case "file":
      return { kind: entry.kind, options: resolveFileSink(entry.options, context) };
    default:
      return { kind: entry.kind, options: resolveStdoutSink(entry.options) };
  }
}
