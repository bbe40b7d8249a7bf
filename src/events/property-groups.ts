import type { RecordValue } from "../exit/record.ts";
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
import { plainValue, putProperty } from "./property-values.ts";

type Group = Record<string, unknown>;
type PropertyMap = ReadonlyMap<string, RecordValue>;

const tables = {
  request: lookup(requestProperties),
  revocation: lookup(revocationProperties),
  certificate: lookup(certificateProperties),
  ca: lookup(caProperties),
  caCertificate: lookup(caCertificateProperties),
};

function lookup(table: PropertyTable): ReadonlyMap<string, Property> {
  return new Map(Object.entries(table));
}

/** The request row: what an event shows as `request`, and as `revocation`. */
export function requestGroup(
  properties: PropertyMap,
  problems: Problems,
): { request: Group | undefined; revocation: Group | undefined } {
  const request: Group = {};
  const revocation: Group = {};
  for (const [name, value] of properties) {
    const property = tables.revocation.get(name);
    if (property !== undefined)
      putProperty(revocation, property, value, `request.${name}`, problems);
    else put(request, tables.request, "request", name, value, problems);
  }
  return { request: unlessEmpty(request), revocation: unlessEmpty(revocation) };
}

/** The certificate row, without the certificate itself, which is shown parsed. */
export function certificateGroup(properties: PropertyMap, problems: Problems): Group | undefined {
  const group: Group = {};
  for (const [name, value] of properties) {
    if (name === "RawCertificate") continue;
    put(group, tables.certificate, "certificate", name, value, problems);
  }
  return unlessEmpty(group);
}

/** The CA: its own properties, and those of each of its certificates under `certificates`. */
export function caGroup(id: string, properties: PropertyMap, problems: Problems): Group {
  const ca: Group = { id };
  const certificates = new Map<number, Group>();
  for (const [name, value] of properties) {
    const indexed = /^(\w+)\.(\d{1,9})$/.exec(name);
    const property = tables.caCertificate.get(indexed?.[1] ?? "");
    if (indexed?.[2] === undefined || property === undefined) {
      put(ca, tables.ca, "ca", name, value, problems);
      continue;
    }
    const index = Number(indexed[2]);
    const certificate = certificates.get(index) ?? { index };
    certificates.set(index, certificate);
    putProperty(certificate, property, value, `ca.${name}`, problems);
  }
  if (certificates.size > 0) ca["certificates"] = [...certificates.values()];
  return ca;
}

function put(
  group: Group,
  table: ReadonlyMap<string, Property>,
  groupName: string,
  name: string,
  value: RecordValue,
  problems: Problems,
): void {
  const property = table.get(name);
  const qualified = `${groupName}.${name}`;
  if (property !== undefined) {
    putProperty(group, property, value, qualified, problems);
    return;
  }
  const key = camelCase(name);
  const plain = plainValue(value, qualified, problems);
  if (key === "" || Object.hasOwn(group, key))
    problems.add(qualified, "conflict", { value: plain });
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
