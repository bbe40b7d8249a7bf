import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { withMappingTables } from "../../../scripts/mapping-tables.ts";
import { type CertwireEvent, eventKinds } from "../../../src/events/event.ts";
import { Redactor } from "../../../src/events/redaction/redactor.ts";
import type { TypedEvent } from "../../../src/events/typed-event.ts";
import { ecsFields, toEcs } from "../../../src/mappings/ecs.ts";
import type { Field } from "../../../src/mappings/field-table.ts";
import { ocsfFields, toOcsf } from "../../../src/mappings/ocsf.ts";
import { cimFields, toSplunkCim } from "../../../src/mappings/splunk-cim.ts";
import { addSchemaTypes, type JsonTypes } from "../../support/json-types.ts";
import { eventsToMap, goldenEvent } from "../../support/mapped-events.ts";
import { scaled } from "../../support/scale.ts";

const mappers = { toEcs, toOcsf, toSplunkCim };
const tables: readonly (readonly Field[])[] = [ecsFields, ocsfFields, cimFields];
const schemas = join("docs", "reference", "schemas");

test("the page of events has the tables that the mappings make", () => {
  const page = readFileSync(join("docs", "reference", "events.md"), "utf8");
  assert.equal(page, withMappingTables(page));
  const missing = tables.flat().filter(({ field }) => !page.includes(`| \`${field}\` |`));
  assert.deepEqual(missing, []);
});

test("every path that a mapping reads is one of the schemas", () => {
  const known: JsonTypes = new Map();
  const add = (name: string, path: string) =>
    addSchemaTypes(known, JSON.parse(readFileSync(join(schemas, name), "utf8")) as object, path);
  add("envelope.json", "");
  for (const kind of eventKinds) add(`${kind}.v1.json`, ".data");
  const documented = tables.flat().flatMap(({ from }) => pathsOf(from));
  assert.ok(documented.length > 100, `${documented.length} paths`);
  assert.deepEqual(
    documented.filter((path) => !known.has(`.${path}`)),
    [],
  );
});

/** Paths of a source, also those that its description names. */
function pathsOf(from: Field["from"]): readonly string[] {
  if ("value" in from) return [];
  if ("says" in from) return [...from.says.matchAll(/`([a-z][\w.]+)`/g)].map(([, path]) => path!);
  return from;
}

test("a mapping writes each field once, and no field under another", () => {
  for (const table of tables) {
    const names = table.map(({ field }) => field);
    assert.equal(new Set(names).size, names.length);
    const under = names.filter((name) => names.some((other) => other.startsWith(`${name}.`)));
    assert.deepEqual(under, []);
  }
});

test("a number that readers of JSON would round is left out, and the largest that they keep is there", () => {
  const event = goldenEvent("certificate.issued");
  const numbersOf = (number: bigint) => {
    const sequence = `0000000001-${number.toString().padStart(20, "0")}`;
    const numbered = { ...event, sequence };
    return [toEcs(numbered).event.sequence, toOcsf(numbered).metadata.sequence];
  };
  const largest = Number.MAX_SAFE_INTEGER;
  assert.deepEqual(numbersOf(BigInt(largest)), [largest, largest]);
  assert.deepEqual(numbersOf(BigInt(largest) + 2n), [undefined, undefined]);
});

test("of several paths the first that has a value counts", () => {
  const event = goldenEvent("certificate.issued");
  let rows = 0;
  for (const [mapper, table] of [
    [toEcs, ecsFields],
    [toOcsf, ocsfFields],
    [toSplunkCim, cimFields],
  ] as const) {
    for (const { field, from } of table as readonly Field[]) {
      if (!Array.isArray(from) || from.length < 2) continue;
      rows += 1;
      for (const [at, first] of from.entries()) {
        const data = {};
        for (const path of from.slice(at)) setAt({ data }, path, `from ${path}`);
        const [value] = [valueAt(mapper({ ...event, data }) as object, field)].flat();
        assert.equal(value, `from ${first}`, field);
      }
    }
  }
  assert.ok(rows >= 8, `${rows} rows`);
});

function setAt(root: Record<string, unknown>, path: string, value: string): void {
  const names = path.split(".");
  let place = root;
  for (const name of names.slice(0, -1)) {
    place[name] ??= {};
    place = place[name] as Record<string, unknown>;
  }
  place[names.at(-1) ?? ""] = value;
}

function valueAt(root: object, path: string): unknown {
  return path.split(".").reduce<unknown>((value, name) => Reflect.get(Object(value), name), root);
}

test("what the objects of an event inherit is not in the event", () => {
  const event = goldenEvent("certificate.issued");
  const request: unknown = Object.create({ requesterName: "CORP\\mallory" });
  const data = { ...event.data, request };
  assert.equal(toEcs({ ...event, data }).user, undefined);
});

test("every row of every mapping maps something", () => {
  for (const [name, mapper] of Object.entries(mappers)) {
    const table = tables[Object.keys(mappers).indexOf(name)]!;
    const seen = new Set<string>();
    for (const event of eventsToMap()) {
      const mapped = mapper(event);
      for (const { field } of table) if (has(mapped, field)) seen.add(field);
    }
    const never = table.map(({ field }) => field).filter((field) => !seen.has(field));
    assert.deepEqual(never, [], name);
  }
});

function has(mapped: object, field: string): boolean {
  let value: unknown = mapped;
  for (const part of field.split("."))
    value = (value as Record<string, unknown> | undefined)?.[part];
  return value !== undefined;
}

test("mapping the same event again gives the same, and leaves the event as it is", () => {
  for (const event of eventsToMap().slice(0, 50)) {
    const before = JSON.stringify(event);
    for (const mapper of Object.values(mappers)) {
      assert.equal(JSON.stringify(mapper(event)), JSON.stringify(mapper(event)));
    }
    assert.equal(JSON.stringify(event), before);
  }
});

test("the mappings take what a handler of one kind gets, and their results are typed", () => {
  const handle = (event: TypedEvent<"certificate.issued">) => {
    const subject: readonly string[] | undefined = toEcs(event).file?.x509?.subject?.common_name;
    const expires: number | undefined = toOcsf(event).entity?.data?.certificate?.expiration_time;
    const user: string | undefined = toSplunkCim(event).user;
    // @ts-expect-error A list is not a text.
    const text: string | undefined = toEcs(event).event.category;
    // @ts-expect-error ECS has no such field.
    const none: unknown = toEcs(event).event.categories;
    return [subject, expires, user, text, none];
  };
  const golden = goldenEvent("certificate.issued") as TypedEvent<"certificate.issued">;
  assert.deepEqual(handle(golden), [
    ["www.contoso.com"],
    Date.parse("2036-11-19T15:59:01Z"),
    "CONTOSO\\WEB01$",
    ["iam"],
    undefined,
  ]);
});

test("what a sink redacts is in no mapped event", () => {
  const golden = goldenEvent("certificate.issued");
  const remove = ["request.requesterName", "request.callerName", "certificate.subject.locality"];
  const shown = new Redactor({ remove, hash: [], key: "" }).redact(golden);
  for (const mapper of Object.values(mappers)) {
    assert.match(JSON.stringify(mapper(golden)), /WEB01.*Redmond/);
    assert.doesNotMatch(JSON.stringify(mapper(shown)), /WEB01|Redmond/);
  }
});

test("an event of a later version maps without a class", () => {
  const later = { ...goldenEvent("ca.started"), type: "io.certwire.template.changed.v2" };
  assert.equal(toEcs(later).event.action, "io.certwire.template.changed.v2");
  assert.equal(toEcs(later).event.category, undefined);
  assert.equal(toOcsf(later).class_uid, 0);
  assert.equal(toSplunkCim(later).action, undefined);
});

test("data of another shape than the schemas say costs only its own fields", () => {
  const golden = goldenEvent("certificate.issued");
  const leaves = [
    "certificate",
    "request",
    "ca",
    "requested",
    "revocation",
    "crl",
    "reason",
    "count",
  ];
  const hostile = fc.dictionary(fc.constantFrom(...leaves), fc.jsonValue({ maxDepth: 4 }));
  fc.assert(
    fc.property(hostile, (data) => {
      const event: CertwireEvent = { ...golden, data };
      assert.equal(toEcs(event).event.id, golden.id);
      assert.equal(toOcsf(event).metadata.uid, golden.id);
      assert.equal(toSplunkCim(event).signature, "certificate.issued");
    }),
    { numRuns: scaled(500) },
  );
});

test("texts of a requester stay values, whatever they look like", () => {
  const golden = goldenEvent("certificate.issued");
  const name = 'CONTOSO\\__proto__", "admin": true';
  const data = {
    ...golden.data,
    request: { requesterName: name, dispositionMessage: "${jndi:x}\n| eval" },
    certificate: { subject: { commonName: ["__proto__", "a.b"], distinguishedName: "CN=x" } },
  };
  const event = { ...golden, data };
  assert.equal(toEcs(event).user?.name, '__proto__", "admin": true');
  assert.deepEqual(toEcs(event).file?.x509?.subject?.common_name, ["__proto__", "a.b"]);
  assert.equal(toSplunkCim(event).user, name);
  assert.equal(toOcsf(event).message, "${jndi:x}\n| eval");
  assert.equal(Object.getPrototypeOf(toOcsf(event)), Object.prototype);
});
