import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parse } from "jsonc-parser";
import {
  configJsonSchema,
  type JsonSchema,
  sinkJsonSchema,
} from "../../../src/config/json-schema.ts";
import { configSchema } from "../../../src/config/schema.ts";
import { kindOfUrl, sinkKinds } from "../../../src/sinks/registry.ts";

const text = readFileSync("config/certwire.example.jsonc", "utf8");
/** The example with every key: those that are commented out stand on lines of their own. */
const whole = parse(text.replaceAll(/^( *)\/\/ (?= *("\w+":|[}\]]))/gm, "$1"), [], {
  allowTrailingComma: true,
}) as { readonly sinks: readonly { readonly url: string }[] };

/** The paths of all values in `value`, such as `tls.caFile`; those in lists without their index. */
function pathsIn(value: unknown, prefix = ""): Map<string, unknown> {
  if (typeof value !== "object" || value === null) return new Map();
  const isList = Array.isArray(value);
  const entries = Object.entries(value).flatMap(([key, inner]): [string, unknown][] => {
    const path = isList ? prefix : prefix === "" ? key : `${prefix}.${key}`;
    return [[path, inner], ...pathsIn(inner, path)];
  });
  return new Map(entries);
}

function pathsOf({ properties, items }: JsonSchema, prefix = ""): [string, JsonSchema][] {
  const own = Object.entries(properties ?? {}).flatMap(([key, schema]): [string, JsonSchema][] => {
    const path = prefix === "" ? key : `${prefix}.${key}`;
    return [[path, schema], ...pathsOf(schema, path)];
  });
  return items ? [...own, ...pathsOf(items, prefix)] : own;
}

const written = pathsIn(whole);
const sections = pathsOf(configJsonSchema()).filter(([path]) => !path.startsWith("sinks."));

test("every key of every section occurs in the example, commented out with its default", () => {
  assert.deepEqual(
    sections.map(([path]) => path).filter((path) => !written.has(path)),
    [],
  );
  for (const [path, schema] of sections) assertDefault(path, schema, written.get(path));
});

test("every key of every kind of sink occurs in the example, those of all kinds at least once", () => {
  const kinds = sinkKinds.map((kind) => {
    // Some keys exclude each other, so a kind may have several entries.
    const entries = whole.sinks.filter(({ url }) => kindOfUrl(url, sinkKinds) === kind);
    return { kind, paths: pathsOf(sinkJsonSchema(kind)), written: pathsIn(entries) };
  });
  for (const { kind, paths, written: own } of kinds) {
    const missing = paths.filter(([path]) => {
      const isCommon = kinds.every((other) => other.paths.some(([each]) => each === path));
      return isCommon ? !kinds.some((other) => other.written.has(path)) : !own.has(path);
    });
    assert.deepEqual(
      missing.map(([path]) => path),
      [],
      `keys of ${kind.kind}`,
    );
    for (const [path, schema] of paths) assertDefault(path, schema, own.get(path));
  }
});

test("the example with every key is accepted", () => {
  const parsed = configSchema(sinkKinds).safeParse(whole);
  assert.ok(parsed.success, parsed.error?.message);
});

/** What is commented out and has a default shows it. */
function assertDefault(path: string, schema: JsonSchema, value: unknown): void {
  const key = path.split(".").at(-1);
  const isCommentedOut = new RegExp(`^ *// *"${key}": `, "m").test(text);
  const hasDefault = schema.default !== undefined && typeof schema.default !== "object";
  if (isCommentedOut && hasDefault && value !== undefined) {
    assert.equal(value, schema.default, path);
  }
}
