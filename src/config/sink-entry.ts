import { z } from "zod";
import { EventFilter } from "../events/event-filter.ts";
import type { Redactor } from "../events/redaction/redactor.ts";
import type { Router } from "../events/router.ts";
import {
  type PipelineLimits,
  pipelineLimitsShape,
  resolvePipelineLimits,
} from "../pipeline/limits.ts";
import { kindOfUrl, sinkKinds } from "../sinks/registry.ts";
import type { ResolveContext } from "../sinks/secret-reference.ts";
import type { ConfiguredSink, SinkKind } from "../sinks/sink-kind.ts";
import { didYouMean } from "./did-you-mean.ts";
import { filterShape, resolveFilter } from "./filter-options.ts";
import { redactShape, resolveRedactor } from "./redact-options.ts";
import { resolveRouter, withRoutes } from "./route-options.ts";

/** A sink of the configuration, resolved, with what its pipeline needs. */
export interface SinkConfiguration extends ConfiguredSink {
  readonly limits: PipelineLimits;
  /** Chooses its events. */
  readonly filter: EventFilter;
  /** Takes out what its events do not show. Absent: they show everything. */
  readonly redactor?: Redactor;
  /** Chooses where each event goes. Absent: all go to one place. */
  readonly router?: Router;
}

/** An entry of `sinks` that its schema has accepted, with defaults, before its secrets are read. */
export interface SinkEntry {
  readonly kind: SinkKind;
  readonly values: z.output<SinkKind["options"]>;
}

type Issue = z.core.$ZodRawIssue;

/** Schema of the entry of one kind of sink: its own keys, and those that its pipeline acts on. */
export function entrySchema(kind: SinkKind) {
  const { options } = kind;
  const shape = { ...filterShape, ...redactShape, ...pipelineLimitsShape };
  const schema = withRoutes(options.safeExtend(shape), kind);
  return options.description === undefined ? schema : schema.describe(options.description);
}

/** Checks one entry of `sinks` against the schema of its kind only, so that messages stay short. */
export function parseSinkEntry(
  value: unknown,
  kinds: readonly SinkKind[],
): { entry?: SinkEntry; issues: Issue[] } {
  const head = z.looseObject({ url: z.string() }).safeParse(value);
  if (!head.success) return { issues: rawIssues(head.error, value) };
  const kind = kindOfUrl(head.data.url, kinds);
  if (kind === undefined) return { issues: [unknownScheme(head.data.url, kinds)] };
  const parsed = entrySchema(kind).safeParse(value);
  if (!parsed.success) return { issues: rawIssues(parsed.error, value) };
  return { entry: { kind, values: parsed.data }, issues: [] };
}

function rawIssues(error: z.ZodError, input: unknown): Issue[] {
  return error.issues.map((issue) => ({ ...issue, input }) as Issue);
}

function unknownScheme(url: string, kinds: readonly SinkKind[]): Issue {
  const schemes = kinds.flatMap((kind) => kind.schemes);
  const scheme = /^[a-z0-9+.-]*(?=:)/i.exec(url)?.[0];
  const near = scheme && didYouMean(scheme, schemes);
  return {
    code: "custom",
    path: ["url"],
    input: url,
    message: scheme ? `no sink supports ${scheme}: URLs` : "must be a URL",
    params: {
      hint: near ? `Did you mean "${near}:"?` : `URLs start with ${schemes.join(":, ")}:.`,
    },
  };
}

/** Makes the paths of an entry absolute. Throws a CertwireError. */
export function resolveSink(
  { kind, values }: SinkEntry,
  context: ResolveContext,
): SinkConfiguration {
  const redactor = resolveRedactor(values, context);
  const sink = kind.configure(values, context);
  const router = resolveRouter(values, sink);
  return {
    ...sink,
    limits: resolvePipelineLimits(values),
    filter: new EventFilter(resolveFilter(values)),
    ...(redactor && { redactor }),
    ...(router && { router }),
  };
}

/** A sink that is in no configuration file. Throws a TypeError when the entry is not valid. */
export function sinkOf(entry: { readonly url: string; readonly name: string }): SinkConfiguration {
  const { entry: parsed, issues } = parseSinkEntry(entry, sinkKinds);
  if (parsed === undefined) throw new TypeError(`not a sink: ${JSON.stringify(issues)}`);
  return resolveSink(parsed, { baseDirectory: process.cwd(), secret: () => "" });
}
