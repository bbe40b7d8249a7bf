import { hash } from "node:crypto";
import type { RecordValue } from "../exit/record.ts";
import { deepFrozen } from "../repeated-values.ts";
import { isSecretName } from "../x509/secret-names.ts";
import type { Comparison } from "./certificate-row.ts";
import type { Detail } from "./envelope.ts";
import type { Problems, TypedText } from "./problems.ts";
import {
  caCertificateProperties,
  caProperties,
  certificateProperties,
  type Property,
  type PropertyTable,
  requestProperties,
  revocationProperties,
} from "./properties.ts";
import { putProperty, type ServedProperty, textValue, unknownValue } from "./property-values.ts";
import { shared } from "./shared-json.ts";

type Group = Record<string, unknown>;
type PropertyMap = ReadonlyMap<string, RecordValue>;

/** A property that is known, and the place at which problems name it. */
interface PlacedProperty {
  readonly property: Property;
  readonly place: string;
}

type Lookup = ReadonlyMap<string, PlacedProperty>;

const tables = {
  request: lookup("request", requestProperties),
  revocation: lookup("request", revocationProperties),
  certificate: lookup("certificate", certificateProperties),
  ca: lookup("ca", caProperties),
  caCertificate: lookup("ca", caCertificateProperties),
};

/** What was made of the properties of a CA, by how much is shown. */
const sharedGroups = new WeakMap<
  PropertyMap,
  Record<Detail, Partial<Record<CaForm, Readonly<Group>>>>
>();

function lookup(group: string, table: PropertyTable): Lookup {
  return new Map(
    Object.entries(table).map(([name, property]) => [
      name,
      { property, place: `${group}.${name}` },
    ]),
  );
}

/** A property that this version does not know, under the CA's own name. */
export interface UnknownProperty extends TypedText {
  /** Group and name (`request.SomeName`). */
  readonly name: string;
}

/** What the rest of the event says about a column, by the CA's own name of it. */
export type CompareColumn = (name: string, value: RecordValue) => Comparison;

/** How `PropertyGroups.ca` shows the CA: whole, or without its type and with hashes of its certificates. */
export type CaForm = "whole" | "brief";

/**
 * Sorts the properties of one record into the groups of its event. A column that says the same as the rest of the
 * event is left out, unless every property is wanted; one that says something else stays, and is a problem.
 */
export class PropertyGroups {
  /** The properties that have no place in a group. */
  readonly unknown: UnknownProperty[] = [];
  readonly #problems: Problems;
  readonly #detail: Detail;

  constructor(problems: Problems, detail: Detail = "standard") {
    this.#problems = problems;
    this.#detail = detail;
  }

  /** The member `unknownProperties` of an event's data, if there are any. */
  get unknownMember(): { unknownProperties?: UnknownProperty[] } {
    return this.unknown.length === 0 ? {} : { unknownProperties: this.unknown };
  }

  /** The request row, as an event shows it under `request` and `revocation`; `undefined` for an empty group. */
  request(
    properties: PropertyMap,
    compare: CompareColumn,
  ): { request: Group | undefined; revocation: Group | undefined } {
    const request: Group = {};
    const revocation: Group = {};
    for (const [name, value] of properties) {
      const revoked = tables.revocation.get(name);
      const known = revoked ?? tables.request.get(name);
      const served = { name: known?.place ?? `request.${name}`, value };
      if (this.#isSaid(served.name, compare(name, value))) continue;
      this.#put(revoked === undefined ? request : revocation, known?.property, served);
    }
    return { request: unlessEmpty(request), revocation: unlessEmpty(revocation) };
  }

  /** The certificate row without the certificate itself, which is shown parsed; `undefined` if it is empty. */
  certificate(properties: PropertyMap, compare: CompareColumn): Group | undefined {
    const group: Group = {};
    for (const [name, value] of properties) {
      if (name === "RawCertificate") continue;
      const known = tables.certificate.get(name);
      const served = { name: known?.place ?? `certificate.${name}`, value };
      if (this.#isSaid(served.name, compare(name, value))) continue;
      this.#put(group, known?.property, served);
    }
    return unlessEmpty(group);
  }

  /** True if a value is left out because the rest of the event says the same; notes one that contradicts it. */
  #isSaid(name: string, comparison: Comparison): boolean {
    if (comparison === "different") this.#problems.add(name, "conflict");
    return comparison === "same" && this.#detail === "standard";
  }

  /**
   * The CA: its own properties, and those of each of its certificates under `certificates`. Records share them, and if
   * everything is shown as it is, events do too.
   */
  ca(id: string, properties: PropertyMap, form: CaForm): Readonly<Group> {
    const known = sharedGroups.get(properties)?.[this.#detail][form];
    if (known?.["id"] === id) return shared(known);
    const { changes } = this.#problems;
    const count = this.unknown.length;
    const ca = this.#ca(id, properties, form);
    if (this.#problems.changes !== changes || this.unknown.length !== count) return ca;
    const groups = sharedGroups.get(properties) ?? { standard: {}, full: {} };
    sharedGroups.set(properties, groups);
    groups[this.#detail][form] = deepFrozen(ca);
    return ca;
  }

  #ca(id: string, properties: PropertyMap, form: CaForm): Group {
    const ca: Group = { id };
    const certificates = new Map<number, Group>();
    for (const [name, value] of properties) {
      const served = { name: `ca.${name}`, value };
      const indexed = /^(\w+)\.(0|[1-9]\d{0,8})$/.exec(name);
      const property = tables.caCertificate.get(indexed?.[1] ?? "")?.property;
      if (indexed?.[2] === undefined || property === undefined) {
        if (this.#isHashed(ca, name, value, form)) continue;
        if (this.#isLeftOut(name, form, properties)) continue;
        this.#put(ca, tables.ca.get(name)?.property, served);
        continue;
      }
      const index = Number(indexed[2]);
      const certificate = certificates.get(index) ?? { index };
      certificates.set(index, certificate);
      if (this.#isHashed(certificate, indexed[1] ?? "", value, form)) continue;
      putProperty(certificate, property, served, this.#problems);
    }
    if (certificates.size > 0) ca["certificates"] = [...certificates.values()];
    return ca;
  }

  /** Adds the hash of a CA certificate to its group; true if nothing else is shown of it. */
  #isHashed(group: Group, name: string, value: RecordValue, form: CaForm): boolean {
    if (name !== "RawCACertificate" || !Buffer.isBuffer(value)) return false;
    group["certificateSha256"] = hash("sha256", value);
    return form === "brief" && this.#detail === "standard";
  }

  /** True for what only the start of a CA says, and for a second name that is the same as the first. */
  #isLeftOut(name: string, form: CaForm, properties: PropertyMap): boolean {
    if (this.#detail === "full") return false;
    if (form === "brief" && tables.ca.get(name)?.property.detail === "start") return true;
    return name === "SanitizedCAName" && properties.get(name) === properties.get("Name");
  }

  #put(group: Group, property: Property | undefined, served: ServedProperty): void {
    if (property === undefined) this.#putUnknown(served);
    else putProperty(group, property, served, this.#problems);
  }

  /** A list holds them, because a member of its own would have a name and a type that no schema knows. */
  #putUnknown({ name, value }: ServedProperty): void {
    if (isSecretName(name)) {
      this.#problems.add(name, "withheld", { detail: "its name says that it is a secret" });
      return;
    }
    const found = unknownValue(value, name, this.#problems);
    if (found === undefined) return;
    this.unknown.push({ name: textValue(name, "unknownProperties", this.#problems), ...found });
  }
}

function unlessEmpty(group: Group): Group | undefined {
  for (const key in group) if (Object.hasOwn(group, key)) return group;
  return undefined;
}
