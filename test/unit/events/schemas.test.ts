import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Ajv } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { eventKinds } from "../../../src/events/event.ts";
import { schemaDocuments } from "../../../src/events/schemas/documents.ts";
import { eventOf, fixture } from "../../support/exit-records.ts";

const root = join("docs", "reference");

for (const { path, content } of schemaDocuments()) {
  test(`${path} is what the schemas in the source say`, () => {
    assert.equal(readFileSync(join(root, path), "utf8"), `${JSON.stringify(content, null, 2)}\n`);
  });
}

test("every committed schema belongs to an event", () => {
  const expected = ["envelope.json", ...eventKinds.map((kind) => `${kind}.v1.json`)];
  const inRoot = ["draft-07", ...expected];
  assert.deepEqual(readdirSync(join(root, "schemas")).toSorted(), inRoot.toSorted());
  assert.deepEqual(readdirSync(join(root, "schemas", "draft-07")).toSorted(), expected.toSorted());
});

test("every committed schema compiles, and its id is the dataschema of its events", () => {
  for (const kind of eventKinds) {
    const ajv = new Ajv2020({ strict: false });
    addFormats.default(ajv);
    const schema = JSON.parse(readFileSync(join(root, "schemas", `${kind}.v1.json`), "utf8")) as {
      $id: string;
    };
    ajv.compile(schema);
    assert.equal(schema.$id, `urn:certwire:schema:${kind}:v1`);
  }
});

test("every committed schema of draft-07 compiles with a validator of that draft, under an id of its own", () => {
  for (const kind of eventKinds) {
    const ajv = new Ajv({ strict: false });
    addFormats.default(ajv);
    const path = join(root, "schemas", "draft-07", `${kind}.v1.json`);
    const schema = JSON.parse(readFileSync(path, "utf8")) as { $id: string; $schema: string };
    ajv.compile(schema);
    assert.equal(schema.$schema, "http://json-schema.org/draft-07/schema#");
    assert.equal(schema.$id, `urn:certwire:schema:${kind}:v1:draft-07`);
  }
});

test("a schema refuses an event with a wrong member and allows one it does not know", () => {
  const ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv);
  const path = join(root, "schemas", "certificate.issued.v1.json");
  const validate = ajv.compile(JSON.parse(readFileSync(path, "utf8")) as object);
  const event = eventOf({ certificate: { RawCertificate: fixture("rsa-v1-template") } });
  const data = JSON.parse(JSON.stringify(event.data)) as Record<string, object>;
  assert.equal(validate(data), true);
  assert.equal(validate({ ...data, later: true }), true);
  const certificate = { ...data["certificate"], notBefore: "yesterday" };
  assert.equal(validate({ ...data, certificate }), false);
});

test("every reference of the AsyncAPI document leads to a committed file or a part of itself", () => {
  const document = JSON.parse(readFileSync(join(root, "asyncapi.json"), "utf8")) as object;
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)];
  assert.ok(references.length >= 3 * eventKinds.length);
  for (const [, reference = ""] of references) {
    if (reference.startsWith("#/"))
      assert.ok(at(document, reference.slice(2).split("/")), reference);
    else readFileSync(join(root, reference));
  }
});

test("the AsyncAPI document names only a schema format that the reference parser accepts", () => {
  const { components } = JSON.parse(readFileSync(join(root, "asyncapi.json"), "utf8")) as {
    components: { messages: Record<string, { payload: { schemaFormat: string } }> };
  };
  for (const { payload } of Object.values(components.messages)) {
    // AsyncAPI 3.0 "Multi Format Schema Object"; @asyncapi/parser 3.6.0 refuses a version of 2020-12.
    assert.equal(payload.schemaFormat, "application/schema+json;version=draft-07");
  }
});

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<string, unknown>)?.[key], value);
}
