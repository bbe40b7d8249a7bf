import type { RecordValue } from "../exit/record.ts";
import { isSecretName } from "../x509/secret-names.ts";
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

type Group = Record<string, unknown>;
type PropertyMap = ReadonlyMap<string, RecordValue>;

type Lookup = ReadonlyMap<string, Property>;

const tables = {
  request: lookup(requestProperties),
  revocation: lookup(revocationProperties),
  certificate: lookup(certificateProperties),
  ca: lookup(caProperties),
  caCertificate: lookup(caCertificateProperties),
};

function lookup(table: PropertyTable): Lookup {
  return new Map(Object.entries(table));
}

/** A property that this version does not know, under the CA's own name. */
export interface UnknownProperty extends TypedText {
  /** Group and name (`request.SomeName`). */
  readonly name: string;
}

/** Sorts the properties of one record into the groups of its event. */
export class PropertyGroups {
  /** The properties that have no place in a group. */
  readonly unknown: UnknownProperty[] = [];
  readonly #problems: Problems;

  constructor(problems: Problems) {
    this.#problems = problems;
  }

  /** The request row, as an event shows it under `request` and `revocation`; `undefined` for an empty group. */
  request(properties: PropertyMap): { request: Group | undefined; revocation: Group | undefined } {
    const request: Group = {};
    const revocation: Group = {};
    for (const [name, value] of properties) {
      const served = { name: `request.${name}`, value };
      const property = tables.revocation.get(name);
      if (property !== undefined) putProperty(revocation, property, served, this.#problems);
      else this.#put(request, tables.request.get(name), served);
    }
    return { request: unlessEmpty(request), revocation: unlessEmpty(revocation) };
  }

  /** The certificate row without the certificate itself, which is shown parsed; `undefined` if it is empty. */
  certificate(properties: PropertyMap): Group | undefined {
    const group: Group = {};
    for (const [name, value] of properties) {
      if (name === "RawCertificate") continue;
      this.#put(group, tables.certificate.get(name), { name: `certificate.${name}`, value });
    }
    return unlessEmpty(group);
  }

  /** The CA: its own properties, and those of each of its certificates under `certificates`. */
  ca(id: string, properties: PropertyMap): Group {
    const ca: Group = { id };
    const certificates = new Map<number, Group>();
    for (const [name, value] of properties) {
      const served = { name: `ca.${name}`, value };
      const indexed = /^(\w+)\.(0|[1-9]\d{0,8})$/.exec(name);
      const property = tables.caCertificate.get(indexed?.[1] ?? "");
      if (indexed?.[2] === undefined || property === undefined) {
        this.#put(ca, tables.ca.get(name), served);
        continue;
      }
      const index = Number(indexed[2]);
      const certificate = certificates.get(index) ?? { index };
      certificates.set(index, certificate);
      putProperty(certificate, property, served, this.#problems);
    }
    if (certificates.size > 0) ca["certificates"] = [...certificates.values()];
    return ca;
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
  return Object.keys(group).length === 0 ? undefined : group;
}
