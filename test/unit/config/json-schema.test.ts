import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Ajv } from "ajv";
import { parse } from "jsonc-parser";
import { schemaText, withTables } from "../../../scripts/config-reference.ts";
import { configSchema } from "../../../src/config/schema.ts";
import { sinkKinds } from "../../../src/sinks/registry.ts";

const page = "docs/reference/configuration.md";

test("config/schema.json and the tables of the reference page are those of the schemas in src", () => {
  const advice = "run: node build/js/scripts/config-reference.js";
  assert.equal(readFileSync("config/schema.json", "utf8"), schemaText(), advice);
  const text = readFileSync(page, "utf8");
  assert.equal(text, withTables(text), advice);
});

const blocks = [...readFileSync(page, "utf8").matchAll(/```jsonc\n([^]*?)```/g)];
const examples = [
  ...readdirSync("config")
    .filter((name) => name.endsWith(".jsonc"))
    .map((name) => ({ name, text: readFileSync(join("config", name), "utf8") })),
  ...blocks.map(([, text = ""], index) => ({ name: `${page}, block ${index + 1}`, text })),
];

test("every example is accepted by the configuration schema and by the schema for editors", () => {
  const validate = new Ajv({ strict: false }).compile(JSON.parse(schemaText()) as object);
  assert.ok(examples.length >= 4);
  for (const { name, text } of examples) {
    const value: unknown = parse(text, [], { allowTrailingComma: true });
    assert.ok(validate(value), `${name}: ${JSON.stringify(validate.errors)}`);
    const parsed = configSchema(sinkKinds).safeParse(value);
    assert.ok(parsed.success, `${name}: ${parsed.error?.message}`);
  }
});

test("the schema for editors refuses what the configuration schema refuses", () => {
  const validate = new Ajv({ strict: false }).compile(JSON.parse(schemaText()) as object);
  const sink = { name: "a", url: "kafka://b/t" };
  const good = { journal: { directory: "j" }, state: { directory: "s" }, sinks: [sink] };
  assert.ok(validate(good));
  for (const bad of [
    { ...good, extra: 1 },
    { ...good, sinks: [] },
    { ...good, sinks: [{ ...sink, window: 5 }] },
    { ...good, sinks: [{ ...sink, url: "http://b/t" }] },
    { ...good, journal: {} },
  ]) {
    assert.equal(validate(bad), false, JSON.stringify(bad));
    assert.equal(configSchema(sinkKinds).safeParse(bad).success, false, JSON.stringify(bad));
  }
});
