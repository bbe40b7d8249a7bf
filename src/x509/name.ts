import { RepeatedValues } from "../repeated-values.ts";
import type { DerReport } from "./der-report.ts";
import { readOid } from "./oid.ts";
import { type DerElement, type DerReader, tags, unexpectedTag } from "./reader.ts";
import { secretRequestAttributes, secretsIn } from "./secret-attributes.ts";
import { stringText, withoutNul } from "./text.ts";

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

type NameParts = Partial<Record<NamePart, string[]>>;

/**
 * Reads a Name; `element` is its SEQUENCE. A malformed attribute is reported with its place (`[1][0]`: the
 * first attribute of the second relative name) and left out. Throws `DerError` for another element.
 */
export function readName(
  reader: DerReader,
  element: DerElement,
  report: DerReport,
): DistinguishedName {
  return report.once(knownNames, reader, element, () => parseName(reader, element, report));
}

const knownNames = new RepeatedValues<DistinguishedName>();

function parseName(reader: DerReader, element: DerElement, report: DerReport): DistinguishedName {
  const names = reader.insideSequence(element);
  const relativeNames: string[] = [];
  const parts: NameParts = {};
  report.eachMember(names, (relativeName, place) => {
    if (relativeName.tag !== tags.set) throw unexpectedTag(relativeName.tag, tags.set);
    const members: string[] = [];
    const set = names.inside(relativeName);
    place.eachMember(set, (member, own) => {
      const text = readAttribute(set.insideSequence(member), parts, own);
      if (text !== undefined) members.push(text);
    });
    if (members.length > 0) relativeNames.push(members.join("+"));
  });
  return { distinguishedName: relativeNames.toReversed().join(","), ...parts };
}

/** The text of an attribute; `undefined` if it is a secret. */
function readAttribute(reader: DerReader, parts: NameParts, report: DerReport): string | undefined {
  const oid = readOid(reader);
  const value = reader.next();
  report.attempt(() => reader.end());
  // Some clients put the challenge password into the subject.
  if (secretRequestAttributes.has(oid)) {
    report.withhold(`the value of ${oid} is a secret`);
    return undefined;
  }
  const type = attributeTypes.get(oid);
  let text: string | undefined;
  report.attempt(() => {
    text = stringText(reader, value, report);
  });
  // RFC 4514 2.4: a value that is not a string, or whose type has no short name, is shown in hex.
  if (type === undefined || text === undefined) {
    const der = reader.whole(value);
    if (secretsIn(der) === 0) return `${type?.short ?? oid}=#${der.toString("hex")}`;
    report.withhold("has the OID of a secret in it");
    return undefined;
  }
  if (type.part !== undefined) (parts[type.part] ??= []).push(withoutNul(text));
  return `${type.short}=${escapeValue(text)}`;
}

/** Escapes an attribute value by RFC 4514 2.4. */
function escapeValue(text: string): string {
  if (/^[A-Za-z0-9_.\-*@/:()]+$/.test(text)) return text;
  return text.replaceAll(/[\\",+;<>]|^[ #]| $/g, "\\$&").replaceAll("\0", "\\00");
}
