/** A JSON value, or one that JSON cannot hold. */
type Json = unknown;

/** The JSON types that were found at each path; members of a list share the path `<list>[]`. */
export type JsonTypes = Map<string, Set<string>>;

/** Adds the types of all values within `value`. */
export function addTypes(types: JsonTypes, value: Json, path = ""): void {
  add(types, path, typeOf(value));
  if (Array.isArray(value)) for (const member of value) addTypes(types, member, `${path}[]`);
  else if (typeof value === "object" && value !== null) {
    for (const [key, member] of Object.entries(value)) addTypes(types, member, `${path}.${key}`);
  }
}

interface Schema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly type?: string | readonly string[];
  readonly const?: Json;
  readonly enum?: readonly Json[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
}

/** Adds the types that a JSON Schema allows; `any` where it allows every type. */
export function addSchemaTypes(types: JsonTypes, root: object, path = ""): void {
  walkSchema(types, root, root, path);
}

function walkSchema(types: JsonTypes, root: Schema, schema: Schema, path: string): void {
  if (schema.$ref !== undefined) {
    const defined = root.$defs?.[schema.$ref.replace("#/$defs/", "")];
    if (defined === undefined) throw new Error(`${path}: ${schema.$ref} leads nowhere`);
    walkSchema(types, root, defined, path);
    return;
  }
  const variants = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  for (const variant of variants) walkSchema(types, root, variant, path);
  const own = ownTypes(schema);
  if (own.length === 0 && variants.length === 0) add(types, path, "any");
  for (const type of own) add(types, path, type);
  for (const [key, member] of Object.entries(schema.properties ?? {})) {
    walkSchema(types, root, member, `${path}.${key}`);
  }
  if (schema.items !== undefined) walkSchema(types, root, schema.items, `${path}[]`);
  if (typeof schema.additionalProperties === "object") {
    walkSchema(types, root, schema.additionalProperties, `${path}.*`);
  }
}

function ownTypes(schema: Schema): string[] {
  if (schema.type !== undefined) return [schema.type].flat().map(withoutInteger);
  const values = "const" in schema ? [schema.const] : (schema.enum ?? []);
  return values.map(typeOf);
}

function withoutInteger(type: string): string {
  return type === "integer" ? "number" : type;
}

function typeOf(value: Json): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

function add(types: JsonTypes, path: string, type: string): void {
  const known = types.get(path) ?? new Set();
  known.add(type);
  types.set(path, known);
}
