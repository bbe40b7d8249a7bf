import type { DerReport } from "./der-report.ts";
import { guidText } from "./guid.ts";
import { readName } from "./name.ts";
import { chunkedOctetString, octetStringOf } from "./octet-string.ts";
import { oidText, readOid } from "./oid.ts";
import { type DerElement, DerError, type DerReader, tags } from "./reader.ts";
import { secretRequestAttributes, secretsIn } from "./secret-attributes.ts";
import { asciiText, stringText, withoutNul } from "./text.ts";

/** Alternative names by kind, in the order of the certificate; a kind without names is absent. */
export interface AlternativeNames {
  dns?: string[];
  ip?: string[];
  email?: string[];
  uri?: string[];
  /** User principal names (otherName 1.3.6.1.4.1.311.20.2.3). */
  upn?: string[];
  /** Distinguished names as RFC 4514 text. */
  directoryName?: string[];
  /** Dotted OIDs. */
  registeredId?: string[];
  /** GUIDs of a domain controller's object in the directory (otherName 1.3.6.1.4.1.311.25.1), as Windows shows them. */
  dsObjectGuid?: string[];
  /** Every other kind: `type` is the OID of an otherName or the name of the kind, `der` its base64. */
  other?: { readonly type: string; readonly der: string }[];
}

const userPrincipalName = "1.3.6.1.4.1.311.20.2.3";
const dsObjectGuid = "1.3.6.1.4.1.311.25.1";

/**
 * Reads GeneralNames into `found`. A malformed name is reported with its index and does not hide those after
 * it, because a requester may choose the first name. Throws `DerError` for another element, or a list without
 * names.
 */
export function readGeneralNames(
  reader: DerReader,
  found: AlternativeNames,
  report: DerReport,
): void {
  const names = reader.sequence();
  if (!names.hasMore) throw new DerError("has no name");
  report.eachMember(names, (name, own) => addName(found, names, name, own));
}

type TextKind = Exclude<keyof AlternativeNames, "other">;

/** Tags of the kinds whose content is plain text. */
const textKinds = new Map<number, TextKind>([
  [0x81, "email"],
  [0x82, "dns"],
  [0x86, "uri"],
]);

/** Tags of the kinds that are shown as DER, with the name of the kind. */
const otherKinds = new Map([
  [0xa3, "x400Address"],
  [0xa5, "ediPartyName"],
]);

function addName(
  found: AlternativeNames,
  names: DerReader,
  name: DerElement,
  report: DerReport,
): void {
  const add = (kind: TextKind, value: string) => (found[kind] ??= []).push(value);
  const textKind = textKinds.get(name.tag);
  const otherKind = otherKinds.get(name.tag);
  if (textKind !== undefined) {
    add(textKind, withoutNul(asciiText(names, name, report)));
  } else if (otherKind !== undefined) {
    addOther(found, otherKind, names.content(name), report);
  } else if (name.tag === 0xa0) {
    addOtherName(found, names.inside(name), report);
  } else if (name.tag === 0xa4) {
    const inner = names.inside(name);
    add("directoryName", readName(inner, inner.next(), report).distinguishedName);
    report.attempt(() => inner.end());
  } else if (name.tag === 0x87) {
    add("ip", addressText(names.content(name)));
  } else if (name.tag === 0x88) {
    add("registeredId", oidText(names.bytes, name));
  } else {
    throw new DerError("general name of unknown kind");
  }
}

function addOther(found: AlternativeNames, type: string, der: Buffer, report: DerReport): void {
  if (secretRequestAttributes.has(type) || secretsIn(der) > 0) {
    report.withhold("has the OID of a secret in it");
    return;
  }
  (found.other ??= []).push({ type, der: der.toString("base64") });
}

function addOtherName(found: AlternativeNames, reader: DerReader, report: DerReport): void {
  const type = readOid(reader);
  const element = reader.next();
  // Some clients leave out the explicit tag. Windows does not read such a name, people must see it.
  if (element.tag !== 0xa0) report.add("otherName without the explicit tag of its value");
  const wrapper = element.tag === 0xa0 ? reader.inside(element) : reader;
  const value = element.tag === 0xa0 ? wrapper.next() : element;
  if (!addKnownName(found, type, wrapper, value, report)) {
    addOther(found, type, wrapper.whole(value), report);
  }
  report.attempt(() => wrapper.end());
  if (wrapper !== reader) report.attempt(() => reader.end());
}

/** Adds an otherName whose type is known; false if it is not, or its value is of another form. */
function addKnownName(
  found: AlternativeNames,
  type: string,
  reader: DerReader,
  value: DerElement,
  report: DerReport,
): boolean {
  if (type === userPrincipalName) {
    const text = stringText(reader, value, report);
    if (text !== undefined) (found.upn ??= []).push(withoutNul(text));
    else report.add("UPN is not a string");
    return text !== undefined;
  }
  if (type === dsObjectGuid) {
    const guid = guidOf(reader, value);
    if (guid !== undefined) (found.dsObjectGuid ??= []).push(guid);
    else report.add("DS object GUID is not an OCTET STRING of 16 octets");
    return guid !== undefined;
  }
  return false;
}

/** The GUID in an OCTET STRING; `undefined` for anything else. */
function guidOf(reader: DerReader, element: DerElement): string | undefined {
  if (element.tag !== tags.octetString && element.tag !== chunkedOctetString) return undefined;
  const octets = octetStringOf(reader, element);
  return octets.length === 16 ? guidText(octets) : undefined;
}

/** An address of 4 or 16 octets in its usual text form (RFC 5952). */
function addressText(octets: Buffer): string {
  if (octets.length === 4) return octets.join(".");
  if (octets.length !== 16) throw new DerError("IP address is not 4 or 16 octets long");
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(octets.readUInt16BE(i).toString(16));
  const text = groups.join(":");
  // Only the first of the longest runs of zeros is shortened, and a single zero never is.
  const runs = [...text.matchAll(/\b0(?::0)+\b/g)];
  const longest = runs.toSorted((a, b) => b[0].length - a[0].length)[0];
  if (longest === undefined) return text;
  const before = text.slice(0, longest.index).replace(/:$/, "");
  const after = text.slice(longest.index + longest[0].length).replace(/^:/, "");
  return `${before}::${after}`;
}
