import { readOid } from "./oid.ts";
import { type DerElement, type DerReader, tags } from "./reader.ts";
import { stringText } from "./text.ts";

/** A distinguished name: its text, and the parts that people search for, in the order of the name. */
export interface DistinguishedName {
  /** RFC 4514: most specific part first, special characters escaped; empty for an empty name. */
  readonly distinguishedName: string;
  readonly commonName?: string[];
  readonly organization?: string[];
  readonly organizationalUnit?: string[];
  readonly locality?: string[];
  readonly stateOrProvince?: string[];
  readonly country?: string[];
  readonly domainComponent?: string[];
  readonly emailAddress?: string[];
}

type NamePart = Exclude<keyof DistinguishedName, "distinguishedName">;

/** Attribute types: the short name that RFC 4514 or Windows uses, and the part that the value goes to. */
const attributeTypes = new Map<string, { readonly short: string; readonly part?: NamePart }>([
  ["2.5.4.3", { short: "CN", part: "commonName" }],
  ["2.5.4.4", { short: "SN" }],
  ["2.5.4.5", { short: "SERIALNUMBER" }],
  ["2.5.4.6", { short: "C", part: "country" }],
  ["2.5.4.7", { short: "L", part: "locality" }],
  ["2.5.4.8", { short: "ST", part: "stateOrProvince" }],
  ["2.5.4.9", { short: "STREET" }],
  ["2.5.4.10", { short: "O", part: "organization" }],
  ["2.5.4.11", { short: "OU", part: "organizationalUnit" }],
  ["2.5.4.12", { short: "T" }],
  ["2.5.4.42", { short: "G" }],
  ["2.5.4.43", { short: "I" }],
  ["0.9.2342.19200300.100.1.1", { short: "UID" }],
  ["0.9.2342.19200300.100.1.25", { short: "DC", part: "domainComponent" }],
  ["1.2.840.113549.1.9.1", { short: "E", part: "emailAddress" }],
]);

/** Reads a Name; `element` is its SEQUENCE. Throws `DerError`. */
export function readName(reader: DerReader, element: DerElement): DistinguishedName {
  const relativeNames: string[] = [];
  const parts: Partial<Record<NamePart, string[]>> = {};
  const names = reader.inside(element);
  while (names.hasMore) {
    const members: string[] = [];
    const set = names.inside(names.next(tags.set));
    while (set.hasMore) members.push(readAttribute(set.sequence(), parts));
    relativeNames.push(members.join("+"));
  }
  return { distinguishedName: relativeNames.toReversed().join(","), ...parts };
}

function readAttribute(reader: DerReader, parts: Partial<Record<NamePart, string[]>>): string {
  const oid = readOid(reader);
  const value = reader.next();
  const type = attributeTypes.get(oid);
  const text = stringText(reader, value);
  if (type?.part !== undefined && text !== undefined) (parts[type.part] ??= []).push(text);
  // RFC 4514 2.4: a value that is not a string, or whose type has no short name, is shown in hex.
  if (type === undefined || text === undefined) {
    return `${type?.short ?? oid}=#${reader.whole(value).toString("hex")}`;
  }
  return `${type.short}=${escapeValue(text)}`;
}

/** Escapes an attribute value by RFC 4514 2.4. */
function escapeValue(text: string): string {
  if (/^[A-Za-z0-9_.\-*@/:()]+$/.test(text)) return text;
  return text.replaceAll(/[\\",+;<>]|^[ #]| $/g, "\\$&").replaceAll("\0", "\\00");
}
