/** OCSF's own description of its classes and objects, as its schema compiler writes it. */
export interface OcsfSchema {
  readonly version: string;
  readonly classes: Readonly<Record<string, OcsfEntity>>;
  readonly objects: Readonly<Record<string, OcsfEntity>>;
  readonly dictionary: {
    readonly types: { readonly attributes: Readonly<Record<string, OcsfType>> };
  };
}

/** A class or an object. */
export interface OcsfEntity {
  readonly uid?: number;
  readonly attributes: Readonly<Record<string, OcsfAttribute>>;
  readonly constraints?: { readonly at_least_one?: readonly string[] };
}

/** An attribute of a class or an object. */
export interface OcsfAttribute {
  readonly type: string;
  readonly object_type?: string;
  readonly is_array?: boolean;
  readonly requirement?: string;
  readonly profiles?: readonly string[] | null;
  readonly enum?: Readonly<Record<string, { readonly caption: string }>>;
  readonly "@deprecated"?: object;
}

interface OcsfType {
  readonly type?: string;
  readonly regex?: string;
  readonly range?: readonly [number, number];
  readonly max_len?: number;
}

type JsonSchema = Record<string, unknown>;

const profiles = ["host"];

/** JSON Schema of all classes and objects, with the profile `host`; a class is at `#/$defs/class:NAME`. */
export function ocsfJsonSchema(schema: OcsfSchema): JsonSchema {
  const define = (prefix: string, entities: OcsfSchema["classes"]) =>
    Object.entries(entities).map(([name, entity]) => [prefix + name, entitySchema(schema, entity)]);
  return {
    $id: "urn:schema:ocsf",
    $defs: Object.fromEntries([
      ...define("class:", schema.classes),
      ...define("object:", schema.objects),
    ]) as JsonSchema,
  };
}

/** True for an attribute that an event with our profiles may have. */
export function isUsable(attribute: OcsfAttribute): boolean {
  const of = attribute.profiles ?? [];
  return of.length === 0 || of.some((profile) => profiles.includes(profile));
}

function entitySchema(schema: OcsfSchema, { attributes, constraints }: OcsfEntity): JsonSchema {
  const usable = Object.entries(attributes).filter(([, attribute]) => isUsable(attribute));
  const atLeastOne = constraints?.at_least_one;
  return {
    type: "object",
    properties: Object.fromEntries(
      usable.map(([name, attribute]) => [name, attributeSchema(schema, attribute)]),
    ),
    required: usable
      .filter(([, { requirement }]) => requirement === "required")
      .map(([name]) => name),
    additionalProperties: usable.length === 0,
    ...(atLeastOne && { anyOf: atLeastOne.map((name) => ({ required: [name] })) }),
  };
}

function attributeSchema(schema: OcsfSchema, attribute: OcsfAttribute): JsonSchema {
  const one = valueSchema(schema, attribute);
  return attribute.is_array === true ? { type: "array", items: one } : one;
}

function valueSchema(schema: OcsfSchema, attribute: OcsfAttribute): JsonSchema {
  if (attribute.type === "json_t") return {};
  if (attribute.type === "object_t")
    return { $ref: `#/$defs/object:${String(attribute.object_type).replace("/", "~1")}` };
  const own = schema.dictionary.types.attributes[attribute.type];
  const type = jsonTypes[own?.type ?? attribute.type];
  if (type === undefined) throw new Error(`no such type: ${attribute.type}`);
  const choices = Object.keys(attribute.enum ?? {});
  return {
    type,
    ...(own?.regex !== undefined && { pattern: own.regex }),
    ...(own?.range !== undefined && { minimum: own.range[0], maximum: own.range[1] }),
    ...(own?.max_len !== undefined && { maxLength: own.max_len }),
    ...(choices.length > 0 && { enum: type === "integer" ? choices.map(Number) : choices }),
  };
}

const jsonTypes: Readonly<Record<string, string>> = {
  string_t: "string",
  integer_t: "integer",
  long_t: "integer",
  float_t: "number",
  boolean_t: "boolean",
};
