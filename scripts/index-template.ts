import { z } from "zod";
import { eventKinds } from "../src/events/event.ts";
import { envelopeSchema } from "../src/events/schemas/attributes.ts";
import { eventData } from "../src/events/schemas/event-data.ts";

/** The part of JSON Schema that the schemas of the events use. */
interface Schema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly type?: string;
  readonly format?: string;
  readonly pattern?: string;
  readonly contentEncoding?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

/** A field of an index: a type, or the fields of an object. */
interface Mapping {
  type?: string;
  ignore_above?: number;
  properties?: Record<string, Mapping>;
}

/** A term may have 32766 bytes, and a character of Java takes up to 4 of them. */
const longestKeyword = 8191;

/**
 * The index template for Elasticsearch and OpenSearch: a field for each member of the schemas. It refuses no event: a
 * member that it does not know is stored and not indexed, and so are a text that is too long for a term and a value
 * that is malformed.
 */
export function indexTemplate(): object {
  const properties = fieldsOf(envelopeSchema);
  const data = {};
  for (const kind of eventKinds) merge(data, fieldsOf(eventData[kind]));
  return {
    index_patterns: ["certwire-events*"],
    priority: 200,
    version: 1,
    _meta: { description: "Events of Certwire, v1" },
    template: {
      settings: { "index.mapping.ignore_malformed": true },
      mappings: { dynamic: false, properties: { ...properties, data: { properties: data } } },
    },
  };
}

function fieldsOf(schema: z.ZodType): Record<string, Mapping> {
  const root = z.toJSONSchema(schema, { io: "input" }) as Schema;
  return mappingOf(root, root.$defs ?? {}).properties ?? {};
}

function mappingOf(schema: Schema, definitions: Readonly<Record<string, Schema>>): Mapping {
  if (schema.$ref !== undefined) {
    const defined = definitions[schema.$ref.replace("#/$defs/", "")];
    if (defined === undefined) throw new Error(`no such definition: ${schema.$ref}`);
    return mappingOf(defined, definitions);
  }
  // A list has the mapping of its members. Nested documents have a limit for each event, so objects are flat.
  if (schema.items !== undefined) return mappingOf(schema.items, definitions);
  if (schema.type === "object") {
    const members = Object.entries(schema.properties ?? {}).map(
      ([name, member]) => [name, mappingOf(member, definitions)] as const,
    );
    return { properties: Object.fromEntries(members) };
  }
  return scalar(schema);
}

function scalar({ type, format, pattern, contentEncoding }: Schema): Mapping {
  if (type === "boolean") return { type: "boolean" };
  if (type === "integer" || type === "number") return { type: "long" };
  if (type !== "string") throw new Error(`no field for the type ${String(type)}`);
  if (contentEncoding === "base64") return { type: "binary" };
  const isDate = format === "date-time" || pattern?.startsWith("^\\d{4}-\\d\\d-\\d\\dT") === true;
  return isDate ? { type: "date" } : { type: "keyword", ignore_above: longestKeyword };
}

/** Adds fields of one kind to those of others, which have the same types. */
function merge(into: Record<string, Mapping>, from: Record<string, Mapping>): void {
  for (const [name, mapping] of Object.entries(from)) {
    const known = into[name];
    if (known === undefined) into[name] = mapping;
    else if (known.properties !== undefined) merge(known.properties, mapping.properties ?? {});
    else if (known.type !== mapping.type) throw new Error(`${name} has two types`);
  }
}
