import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { indexTemplate } from "../../../scripts/index-template.ts";
import { eventKinds } from "../../../src/events/event.ts";
import { addSchemaTypes, addTypes, type JsonTypes } from "../../support/json-types.ts";
import { eventsToMap } from "../../support/mapped-events.ts";

/** A field of an index. */
interface Mapping {
  readonly type?: string;
  readonly ignore_above?: number;
  readonly properties?: Readonly<Record<string, Mapping>>;
}

interface Template {
  readonly template: {
    readonly settings: Readonly<Record<string, unknown>>;
    readonly mappings: Mapping & { readonly dynamic: unknown };
  };
}

const text = readFileSync(join("config", "opensearch-index-template.json"), "utf8");
const { settings, mappings } = (JSON.parse(text) as Template).template;

const schemaTypes: JsonTypes = new Map();
const addSchema = (name: string, path: string) => {
  const file = join("docs", "reference", "schemas", `${name}.json`);
  addSchemaTypes(schemaTypes, JSON.parse(readFileSync(file, "utf8")) as object, path);
};
addSchema("envelope", "");
for (const kind of eventKinds) addSchema(`${kind}.v1`, ".data");
schemaTypes.delete(".data.*");

/** All fields by their paths, as the schemas write them, without the marks of lists. */
const fields = new Map<string, Mapping>();
addFields(mappings, "");

function addFields(mapping: Mapping, path: string): void {
  fields.set(path, mapping);
  for (const [name, member] of Object.entries(mapping.properties ?? {})) {
    addFields(member, `${path}.${name}`);
  }
}

const withoutLists = (path: string) => path.replaceAll("[]", "");

test("the index template that is shipped is the one that the schemas make", () => {
  assert.equal(text, `${JSON.stringify(indexTemplate(), undefined, 2)}\n`);
});

/** Types of fields that hold a JSON type. */
const fitting: Readonly<Record<string, readonly (string | undefined)[]>> = {
  string: ["keyword", "date", "binary"],
  number: ["long"],
  boolean: ["boolean"],
  object: [undefined],
};

test("every path of every schema has a field of its type, and there is no other field", () => {
  assert.ok(schemaTypes.size > 150, `${schemaTypes.size} paths`);
  for (const [path, types] of schemaTypes) {
    const [type = ""] = types;
    if (type === "array") continue;
    const field = fields.get(withoutLists(path));
    assert.ok(field, `${path} has no field`);
    assert.ok(fitting[type]?.includes(field.type), `${path}: ${type} in ${String(field.type)}`);
    assert.equal(field.properties !== undefined, type === "object", path);
  }
  const known = new Set([...schemaTypes.keys()].map(withoutLists));
  assert.deepEqual(
    [...fields.keys()].filter((path) => !known.has(path)),
    [],
  );
});

test("no event is refused: for a long text, a malformed value, an unknown member, or too many fields", () => {
  assert.equal(mappings.dynamic, false);
  assert.equal(settings["index.mapping.ignore_malformed"], true);
  // Both servers refuse a template with more fields than that by default, and a term of more than 32766 bytes.
  assert.ok(fields.size < 1000, `${fields.size} fields`);
  for (const [path, { type, ignore_above: longest = Infinity }] of fields) {
    if (type === "keyword") assert.ok(longest * 4 <= 32_766, path);
    assert.notEqual(type, "nested", path);
  }
});

test("dates are dates, and every other text of an event is a text", () => {
  const types: JsonTypes = new Map();
  const dates = new Set<string>();
  for (const event of eventsToMap()) {
    addTypes(types, event);
    for (const [path, value] of textsOf(event)) {
      const { type } = fields.get(path) ?? {};
      const isDate = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value);
      if (type === "date") assert.ok(isDate && Date.parse(value), `${path}: ${value}`);
      if (isDate && type !== "date") assert.match(path, /^\.data\.(unknownProperties|problems)\./);
      if (type === "date") dates.add(path);
      if (type === "binary") assert.match(value, /^[A-Za-z0-9+/]*=*$/, path);
    }
  }
  assert.ok(dates.size > 10, [...dates].join(" "));
  for (const path of types.keys()) assert.ok(fields.has(withoutLists(path)), path);
});

function textsOf(value: unknown, path = ""): [path: string, text: string][] {
  if (typeof value === "string") return [[path, value]];
  if (Array.isArray(value)) return value.flatMap((member) => textsOf(member, path));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => textsOf(member, `${path}.${name}`));
}
