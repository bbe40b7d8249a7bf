import { z } from "zod";
import { sinkKinds } from "../sinks/registry.ts";
import type { SinkKind } from "../sinks/sink-kind.ts";
import { sections } from "./schema.ts";
import { entrySchema } from "./sink-entry.ts";

/** The part of JSON Schema that is used here. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
}

/** JSON Schema (draft 7, which editors support) of the configuration file. */
export function configJsonSchema(kinds: readonly SinkKind[] = sinkKinds): JsonSchema {
  const { $schema, properties, required = [], ...rest } = toJsonSchema(sections);
  return {
    $schema,
    title: "Certwire configuration",
    ...rest,
    properties: { ...properties, sinks: sinksSchema(kinds) },
    required: [...required, "sinks"],
  };
}

/** JSON Schema of the entry of one kind of sink. */
export function sinkJsonSchema(kind: SinkKind): JsonSchema {
  const { $schema: _, ...schema } = toJsonSchema(entrySchema(kind));
  return schema;
}

function toJsonSchema(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { target: "draft-7", io: "input" }) as JsonSchema;
}

/** The URL chooses the schema of an entry, so that an editor complains about that kind only. */
function sinksSchema(kinds: readonly SinkKind[]): JsonSchema {
  return {
    description: "Where events are published; each sink has its own checkpoint.",
    type: "array",
    minItems: 1,
    items: {
      type: "object",
      required: ["name", "url"],
      properties: {
        url: { type: "string", pattern: schemePattern(kinds.flatMap(({ schemes }) => schemes)) },
      },
      allOf: kinds.map((kind) => ({
        if: { properties: { url: { pattern: schemePattern(kind.schemes) } } },
        // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
        then: sinkJsonSchema(kind),
      })),
    },
  };
}

function schemePattern(schemes: readonly string[]): string {
  return `^(${schemes.join("|")}):`;
}
