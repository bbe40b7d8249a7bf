import assert from "node:assert/strict";
import { test } from "node:test";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { eventKinds } from "../../../src/events/event.ts";
import { kindOf } from "../../../src/events/event-kind.ts";
import { type OcsfEvent, ocsfFields, toOcsf } from "../../../src/mappings/ocsf.ts";
import { ocsfClasses, ocsfKinds, severities, statuses } from "../../../src/mappings/ocsf-kinds.ts";
import { eventsToMap, goldenEvent } from "../../support/mapped-events.ts";
import {
  isUsable,
  type OcsfAttribute,
  type OcsfEntity,
  type OcsfSchema,
  ocsfJsonSchema,
} from "../../support/vocabularies/ocsf-schema.ts";
import { published } from "../../support/vocabularies/published.ts";

/** Our names of OCSF's classes. */
const classNames = {
  base: "base_event",
  entity: "entity_management",
  lifecycle: "application_lifecycle",
  error: "application_error",
} as const;

test("every attribute is one of OCSF, with its type", (t) => {
  const schema = published(t, "ocsf") as OcsfSchema | undefined;
  if (schema === undefined) return;
  const places = new Set<string>();
  for (const { field, type } of ocsfFields) {
    for (const name of Object.values(classNames)) {
      const own = attributeAt(schema, schema.classes[name], field.split("."));
      if (own === undefined) continue;
      places.add(field);
      assert.equal(type, typeName(own), `${name}: ${field}`);
      assert.equal(own["@deprecated"], undefined, field);
    }
  }
  assert.deepEqual(
    ocsfFields.filter(({ field }) => !places.has(field)),
    [],
  );
});

/** The attribute at a path; what is in `entity.data` is by our own choice OCSF's object `certificate`. */
function attributeAt(
  schema: OcsfSchema,
  entity: OcsfEntity | undefined,
  [name = "", ...rest]: readonly string[],
): OcsfAttribute | undefined {
  const own = entity?.attributes[name];
  if (own === undefined || !isUsable(own) || rest.length === 0) return own;
  if (own.type === "json_t") return attributeAt(schema, schema.objects[rest[0]!], rest.slice(1));
  return attributeAt(schema, schema.objects[own.object_type ?? ""], rest);
}

function typeName({ type, object_type: object, is_array: isArray }: OcsfAttribute): string {
  return `${object ?? type}${isArray === true ? "[]" : ""}`;
}

test("numbers and names of classes, activities, severities and statuses are those of OCSF", (t) => {
  const schema = published(t, "ocsf") as OcsfSchema | undefined;
  if (schema === undefined) return;
  const captionOf = (name: keyof typeof classNames, attribute: string, id: number) =>
    schema.classes[classNames[name]]?.attributes[attribute]?.enum?.[id]?.caption;
  for (const kind of eventKinds) {
    const { class: name, activity, severity, status } = ocsfKinds[kind];
    const [id, activityName] = activity;
    const { uid, categoryUid } = ocsfClasses[name];
    assert.equal(captionOf(name, "class_uid", uid), ocsfClasses[name].name);
    assert.equal(captionOf(name, "category_uid", categoryUid), ocsfClasses[name].category);
    assert.equal(captionOf(name, "activity_id", id), id === 99 ? "Other" : activityName, kind);
    assert.equal(captionOf(name, "severity_id", severity), severities[severity]);
    assert.equal(captionOf(name, "status_id", status), statuses[status]);
    const mapped = toOcsf({ ...goldenEvent("journal.gap"), type: `x.${kind}.v1` });
    assert.equal(captionOf(name, "type_uid", mapped.type_uid), mapped.type_name);
  }
});

test("mapped events are valid by the schema of their class", (t) => {
  const schema = published(t, "ocsf") as OcsfSchema | undefined;
  if (schema === undefined) return;
  const ajv = new Ajv2020({ strict: false });
  ajv.addSchema(ocsfJsonSchema(schema));
  const validators = new Map(
    Object.entries(classNames).map(([key, name]) => [
      ocsfClasses[key as keyof typeof classNames].uid as number,
      ajv.compile({ $ref: `urn:schema:ocsf#/$defs/class:${name}` }),
    ]),
  );
  const certificate = ajv.compile({ $ref: "urn:schema:ocsf#/$defs/object:certificate" });
  const [kinds, certificates] = [new Set<string>(), new Set<string>()];
  for (const event of [...eventsToMap(), laterEvent]) {
    const mapped = toOcsf(event);
    assertValid(validators.get(mapped.class_uid), mapped);
    const own = mapped.entity?.data?.certificate;
    if (own?.issuer !== undefined && own.serial_number !== undefined) {
      assertValid(certificate, own);
      certificates.add(own.serial_number);
    }
    if (event !== laterEvent) kinds.add(kindOf(event));
  }
  assert.deepEqual(kinds, new Set(eventKinds));
  assert.ok(certificates.size > 20);
});

const laterEvent = {
  ...goldenEvent("certificate.issued"),
  type: "io.certwire.template.changed.v2",
};

function assertValid(validate: ValidateFunction | undefined, value: OcsfEvent | object): void {
  assert.ok(validate);
  const json = JSON.parse(JSON.stringify(value)) as unknown;
  assert.ok(validate(json), JSON.stringify({ errors: validate.errors, json }, undefined, 1));
}

test("the check of the schema finds what does not belong to a class", (t) => {
  const schema = published(t, "ocsf") as OcsfSchema | undefined;
  if (schema === undefined) return;
  const ajv = new Ajv2020({ strict: false });
  ajv.addSchema(ocsfJsonSchema(schema));
  const validate = ajv.compile({ $ref: "urn:schema:ocsf#/$defs/class:entity_management" });
  const mapped = toOcsf(goldenEvent("certificate.issued"));
  assert.ok(validate(mapped));
  for (const wrong of [{ app: {} }, { time: "now" }, { severity_id: 9 }, { entity: {} }]) {
    assert.equal(validate({ ...mapped, ...wrong }), false, JSON.stringify(wrong));
  }
});

test("an issued certificate in OCSF", () => {
  const { entity, actor, device, ...event } = toOcsf(goldenEvent("certificate.issued"));
  assert.equal(event.type_uid, 300_401);
  assert.equal(event.time, Date.parse("2026-03-01T12:00:00.123Z"));
  assert.deepEqual(actor, { user: { name: "WEB01$", domain: "CONTOSO" } });
  assert.deepEqual(device, { hostname: "ca1.contoso.com", type_id: 1 });
  assert.equal(entity?.uid, "certificate/4C18F7C521A9496B053AD9A81BC5EF446C99DBFC");
  assert.deepEqual(entity?.data?.certificate?.sans, [
    { name: "www.contoso.com", type: "dns" },
    { name: "contoso.com", type: "dns" },
  ]);
  assert.deepEqual(entity?.data?.certificate?.fingerprints, [
    { algorithm: "SHA-1", algorithm_id: 2, value: "27c9b040b544d2365473dfbf92df3678e2d6e879" },
    {
      algorithm: "SHA-256",
      algorithm_id: 3,
      value: "14122c585f416d589254ec9a30bec6198f8bfb5ce87556d4d54a26b4cd004c1e",
    },
  ]);
});

test("a certificate that is put on hold is suspended, any other revocation deactivates", () => {
  const revoked = goldenEvent("certificate.revoked");
  assert.equal(toOcsf(revoked).activity_name, "Deactivate");
  const hold = { ...revoked, data: { ...revoked.data, revocation: { reason: "certificateHold" } } };
  assert.equal(toOcsf(hold).activity_name, "Suspend");
  assert.equal(toOcsf(hold).type_uid, 300_412);
});
