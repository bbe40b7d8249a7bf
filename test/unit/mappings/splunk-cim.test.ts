import assert from "node:assert/strict";
import { test } from "node:test";
import { cimFields, toSplunkCim } from "../../../src/mappings/splunk-cim.ts";
import { eventsToMap, goldenEvent } from "../../support/mapped-events.ts";
import { published } from "../../support/vocabularies/published.ts";

/** What Splunk publishes about a field of a data model. */
interface CimField {
  readonly name: string;
  readonly validity?: string;
  readonly expected_values?: readonly string[];
}

interface Dataset {
  readonly fields?: readonly CimField[];
  readonly objects?: readonly Dataset[];
  readonly child_dataset?: readonly Dataset[];
}

const models = ["cim-Certificates", "cim-Change", "cim-Event_Signatures"];

/** Of child data sets of Change, which are about accounts, networks and the like, no field is used. */
function fieldsOf(
  name: string,
  { fields = [], objects, child_dataset: children }: Dataset,
): CimField[] {
  const below = objects ?? (name === "cim-Certificates" ? (children ?? []) : []);
  return [...fields, ...below.flatMap((dataset) => fieldsOf(name, dataset))];
}

test("every field is one of CIM's data models, and only _time is Splunk's own", (t) => {
  const names = models.flatMap((name) => {
    const model = published(t, name) as Dataset | undefined;
    return model === undefined ? [] : fieldsOf(name, model).map((field) => field.name);
  });
  if (names.length === 0) return;
  assert.ok(names.length > 60, `${names.length} fields`);
  assert.deepEqual(
    cimFields.map(({ field }) => field).filter((field) => !names.includes(field)),
    ["_time"],
  );
});

test("mapped events hold texts and numbers that the data models accept", (t) => {
  const fields = models.flatMap((name) => {
    const model = published(t, name) as Dataset | undefined;
    return model === undefined ? [] : fieldsOf(name, model);
  });
  if (fields.length === 0) return;
  for (const event of eventsToMap()) {
    const mapped: Readonly<Record<string, unknown>> = toSplunkCim(event);
    for (const [name, value] of Object.entries(mapped)) {
      assert.ok(["string", "number"].includes(typeof value), name);
    }
    for (const { name, expected_values: expected, validity } of fields) {
      const value = mapped[name];
      if (value === undefined) continue;
      if (expected !== undefined) assert.ok(expected.includes(value as string), name);
      if (validity?.includes(`isnum(${name})`) === true) assert.equal(typeof value, "number", name);
    }
  }
});

test("every field that the data model of certificates requires is there for a certificate", (t) => {
  const model = published(t, "cim-Certificates") as Dataset | undefined;
  if (model === undefined) return;
  const required = fieldsOf("cim-Certificates", model).filter(
    (field) => (field as { readonly type?: string }).type === "required",
  );
  const mapped: Readonly<Record<string, unknown>> = toSplunkCim(goldenEvent("certificate.issued"));
  assert.ok(required.length > 8);
  assert.deepEqual(
    required.filter(({ name }) => mapped[name] === undefined),
    [],
  );
});

test("an issued certificate in CIM", () => {
  const { _time: time, ...mapped } = toSplunkCim(goldenEvent("certificate.issued"));
  assert.equal(time, 1_772_366_400.123);
  assert.equal(mapped.user, "CONTOSO\\WEB01$");
  assert.equal(mapped.ssl_subject_unit, "Ops, Web");
  assert.equal(mapped.ssl_end_time, Date.parse("2036-11-19T15:59:01Z") / 1000);
  assert.equal(mapped.ssl_validity_window, 3650 * 86_400);
  assert.equal(mapped.action, "created");
});
