import assert from "node:assert/strict";
import { test } from "node:test";
import { EcsFlat } from "@elastic/ecs";
import { type CertwireEvent, eventKinds } from "../../../src/events/event.ts";
import { ecsFields, ecsKinds, toEcs } from "../../../src/mappings/ecs.ts";
import { toOcsf } from "../../../src/mappings/ocsf.ts";
import { toSplunkCim } from "../../../src/mappings/splunk-cim.ts";
import { eventsToMap, goldenEvent } from "../../support/mapped-events.ts";

/** What Elastic publishes about a field. */
interface EcsField {
  readonly type: string;
  readonly normalize: readonly string[];
  readonly allowed_values?: readonly {
    readonly name: string;
    readonly expected_event_types?: readonly string[];
  }[];
}

const fields = EcsFlat as unknown as Readonly<Record<string, EcsField>>;

test("every field is one of ECS, with its type", () => {
  for (const { field, type } of ecsFields) {
    const own = fields[field];
    assert.ok(own, `${field} is not a field of ECS`);
    assert.equal(type, `${own.type}${own.normalize.includes("array") ? "[]" : ""}`, field);
  }
  assert.ok(Object.keys(fields).length > 1_500);
});

test("what a kind is classed as is what ECS expects of its category", () => {
  const names = (field: string) => fields[field]?.allowed_values?.map(({ name }) => name);
  for (const kind of eventKinds) {
    const { category, type, outcome } = ecsKinds[kind];
    assert.ok(names("event.type")?.includes(type), kind);
    if (outcome !== undefined) assert.ok(names("event.outcome")?.includes(outcome), kind);
    if (category === undefined) continue;
    const own = fields["event.category"]?.allowed_values?.find(({ name }) => name === category);
    assert.ok(own?.expected_event_types?.includes(type), kind);
  }
});

test("mapped events hold the types of ECS and nothing else", () => {
  for (const event of eventsToMap()) {
    const mapped = toEcs(event);
    for (const [path, value] of leavesOf(mapped)) {
      const own = fields[path];
      assert.ok(own, path);
      for (const each of own.normalize.includes("array") ? (value as unknown[]) : [value]) {
        assertForm(own.type, each, path);
      }
    }
    for (const { field, ...row } of ecsFields) {
      if ("always" in row) assert.ok(new Map(leavesOf(mapped)).has(field), field);
    }
  }
});

function assertForm(type: string, value: unknown, path: string): void {
  if (type === "long") assert.ok(Number.isSafeInteger(value), path);
  else assert.equal(typeof value, "string", path);
  if (type === "date") assert.ok(!Number.isNaN(Date.parse(String(value))), path);
  assert.notEqual(value, "", path);
}

function leavesOf(value: unknown, path = ""): [path: string, value: unknown][] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [[path, value]];
  return Object.entries(value).flatMap(([name, member]) =>
    leavesOf(member, path === "" ? name : `${path}.${name}`),
  );
}

test("a revocation is not what the requester did", () => {
  for (const kind of ["certificate.revoked", "certificate.unrevoked"] as const) {
    const revoked = JSON.stringify(goldenEvent("certificate.revoked"));
    const event = JSON.parse(revoked.replaceAll("certificate.revoked", kind)) as CertwireEvent;
    const { user, related } = toEcs(event);
    assert.equal(user?.name, undefined);
    assert.equal(user?.domain, undefined);
    assert.ok(related?.user?.includes("WEB01$"));
    assert.equal(toOcsf(event).actor, undefined);
    assert.equal(toSplunkCim(event).user, undefined);
    assert.equal(toSplunkCim(event).src, undefined);
  }
});

test("an issued certificate in ECS", () => {
  const { file, user, event, observer } = toEcs(goldenEvent("certificate.issued"));
  assert.deepEqual(user, { name: "WEB01$", domain: "CONTOSO" });
  assert.equal(observer.hostname, "ca1.contoso.com");
  assert.deepEqual(event, {
    kind: "event",
    category: ["iam"],
    type: ["creation"],
    outcome: "success",
    action: "certificate.issued",
    code: "1",
    provider: "Certwire",
    module: "certwire",
    dataset: "certwire.events",
    id: "0123456789abcdef0123456789abcdef-17-0",
    created: "2026-03-01T12:00:00.123Z",
    hash: "7327ad0ad53009e258551e5ab8974ad31cf9feeb9ea68f1caf1ac959d2aeb986",
    sequence: 17,
  });
  assert.equal(file?.x509?.serial_number, "4C18F7C521A9496B053AD9A81BC5EF446C99DBFC");
  assert.equal(file?.x509?.public_key_exponent, 65_537);
  assert.deepEqual(file?.x509?.alternative_names, ["www.contoso.com", "contoso.com"]);
  assert.deepEqual(file?.x509?.subject?.organizational_unit, ["Ops", "Web"]);
});

test("a denied request in ECS has its error, a revoked certificate its reason", () => {
  const { event, error } = toEcs(goldenEvent("request.denied"));
  assert.equal(event.outcome, "failure");
  assert.equal(event.reason, "CERTSRV_E_ADMIN_DENIED_REQUEST");
  assert.deepEqual(error, { code: "0x80094014" });
  const revoked = toEcs(goldenEvent("certificate.revoked"));
  assert.equal(revoked.event.reason, "keyCompromise");
  assert.equal(revoked.error, undefined);
});
