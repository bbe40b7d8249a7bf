import type { SimulatedValue } from "../native/addon.ts";
import type { DistinguishedName, NameAttribute } from "./distinguished-name.ts";
import { nameText } from "./distinguished-name.ts";
import { encodeName } from "./x509-name.ts";

/** Properties by the CA's own names. */
export type Properties = Record<string, SimulatedValue>;

/** A LONG; values of 2^31 and above (HRESULTs) become negative, as in the CA's database. */
export function long(value: number): SimulatedValue {
  return { long: value | 0 };
}

/** A DATE: days since 1899-12-30 UTC. */
export function date(value: Date): SimulatedValue {
  return { date: value.getTime() / 86_400_000 + 25_569 };
}

/** A STRING property. */
export function text(value: string): SimulatedValue {
  return { string: value };
}

/** A BINARY property. */
export function binary(value: Buffer): SimulatedValue {
  return { binary: value };
}

/** Hex pairs with spaces, as the CA writes hashes and key identifiers. */
export function hexPairs(bytes: Buffer): SimulatedValue {
  return text(bytes.toString("hex").replaceAll(/..(?=.)/g, "$& "));
}

const namePartProperties: Record<NameAttribute, string> = {
  CN: "CommonName",
  SN: "SurName",
  SERIALNUMBER: "DeviceSerialNumber",
  C: "Country",
  L: "Locality",
  S: "State",
  O: "Organization",
  OU: "OrgUnit",
  T: "Title",
  G: "GivenName",
  E: "EMail",
  DC: "DomainComponent",
};

/** The name columns of a subject: the whole name, its DER, and its parts (joined by newlines). */
export function nameProperties(name: DistinguishedName): Properties {
  const properties: Properties = { RawName: binary(encodeName(name)) };
  if (name.length === 0) return properties;
  properties["DistinguishedName"] = text(nameText(name));
  for (const attribute of new Set(name.map(([part]) => part))) {
    const values = name.filter(([part]) => part === attribute).map(([, value]) => value);
    properties[namePartProperties[attribute]] = text(values.join("\n"));
  }
  return properties;
}
