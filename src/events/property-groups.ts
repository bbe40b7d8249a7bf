import type { RecordValue } from "../exit/record.ts";
import { isSecretName } from "../x509/secret-names.ts";
import type { Problems } from "./problems.ts";
import {
  caCertificateProperties,
  caProperties,
  certificateProperties,
  type Property,
  type PropertyTable,
  requestProperties,
  revocationProperties,
} from "./properties.ts";
import { plainValue, putProperty, type ServedProperty } from "./property-values.ts";

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

/** The request row, as an event shows it under `request` and `revocation`; `undefined` for an empty group. */
export function requestGroup(
  properties: PropertyMap,
  problems: Problems,
): { request: Group | undefined; revocation: Group | undefined } {
  const request: Group = {};
  const revocation: Group = {};
  for (const [name, value] of properties) {
    const served = { name: `request.${name}`, value };
    const property = tables.revocation.get(name);
    if (property !== undefined) putProperty(revocation, property, served, problems);
    else put(request, tables.request.get(name), served, problems);
  }
  return { request: unlessEmpty(request), revocation: unlessEmpty(revocation) };
}

/** The certificate row without the certificate itself, which is shown parsed; `undefined` if it is empty. */
export function certificateGroup(properties: PropertyMap, problems: Problems): Group | undefined {
  const group: Group = {};
  for (const [name, value] of properties) {
    if (name === "RawCertificate") continue;
    put(group, tables.certificate.get(name), { name: `certificate.${name}`, value }, problems);
  }
  return unlessEmpty(group);
}

/** The CA: its own properties, and those of each of its certificates under `certificates`. */
export function caGroup(id: string, properties: PropertyMap, problems: Problems): Group {
  const ca: Group = { id };
  const certificates = new Map<number, Group>();
  for (const [name, value] of properties) {
    const served = { name: `ca.${name}`, value };
    const indexed = /^(\w+)\.(\d{1,9})$/.exec(name);
    const property = tables.caCertificate.get(indexed?.[1] ?? "");
    if (indexed?.[2] === undefined || property === undefined) {
      put(ca, tables.ca.get(name), served, problems);
      continue;
    }
    const index = Number(indexed[2]);
    const certificate = certificates.get(index) ?? { index };
    certificates.set(index, certificate);
    putProperty(certificate, property, served, problems);
  }
  if (certificates.size > 0) ca["certificates"] = [...certificates.values()];
  return ca;
}

/** Adds a property to a group; one that this version does not know under its own name in camelCase. */
function put(
  group: Group,
  property: Property | undefined,
  served: ServedProperty,
  problems: Problems,
): void {
  if (property !== undefined) {
    putProperty(group, property, served, problems);
    return;
  }
  const { name, value } = served;
  const key = camelCase(name.slice(name.indexOf(".") + 1));
  if (isSecretName(name)) {
    problems.add(name, "withheld", { detail: "its name says that it is a secret" });
    return;
  }
  const plain = plainValue(value, name, problems);
  if (key === "" || Object.hasOwn(group, key)) problems.add(name, "conflict", { value: plain });
  else group[key] = plain;
}

/** A name of the CA in camelCase: `SomeURLName.0` becomes `someUrlName0`. */
export function camelCase(name: string): string {
  const words = name.match(/[A-Z]+(?![a-z])|[A-Z][a-z]*|[a-z]+|\d+/g) ?? [];
  const [first = "", ...rest] = words.map((word) => word.toLowerCase());
  return first + rest.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}

function unlessEmpty(group: Group): Group | undefined {
  return Object.keys(group).length === 0 ? undefined : group;
}
