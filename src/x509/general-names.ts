import { readName } from "./name.ts";
import { oidText, readOid } from "./oid.ts";
import { type DerElement, DerError, type DerReader, tags } from "./reader.ts";
import { stringText } from "./text.ts";

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
  /** Every other kind: `type` is the OID of an otherName or the name of the kind, `der` its base64. */
  other?: { readonly type: string; readonly der: string }[];
}

const userPrincipalName = "1.3.6.1.4.1.311.20.2.3";

/** Reads GeneralNames into `found`. Throws `DerError` at a malformed name; `found` has those before it. */
export function readGeneralNames(reader: DerReader, found: AlternativeNames): void {
  const names = reader.sequence();
  while (names.hasMore) addName(found, names, names.next());
}

type TextKind = Exclude<keyof AlternativeNames, "other">;

/** Tags of the kinds whose content is plain text. */
const textKinds = new Map<number, TextKind>([
  [0x81, "email"],
  [0x82, "dns"],
  [0x86, "uri"],
]);

function addName(found: AlternativeNames, names: DerReader, name: DerElement): void {
  const add = (kind: TextKind, value: string) => (found[kind] ??= []).push(value);
  const textKind = textKinds.get(name.tag);
  if (textKind !== undefined) {
    add(textKind, names.bytes.toString("latin1", name.start, name.end));
  } else if (name.tag === 0xa0) {
    addOtherName(found, names.inside(name));
  } else if (name.tag === 0xa4) {
    const inner = names.inside(name);
    add("directoryName", readName(inner, inner.next(tags.sequence)).distinguishedName);
  } else if (name.tag === 0x87) {
    add("ip", addressText(names.content(name)));
  } else if (name.tag === 0x88) {
    add("registeredId", oidText(names.bytes, name));
  } else {
    const type = otherKind(name.tag);
    (found.other ??= []).push({ type, der: names.content(name).toString("base64") });
  }
}

function otherKind(tag: number): string {
  if (tag === 0xa3) return "x400Address";
  if (tag === 0xa5) return "ediPartyName";
  throw new DerError("general name of unknown kind");
}

function addOtherName(found: AlternativeNames, reader: DerReader): void {
  const type = readOid(reader);
  const wrapper = reader.inside(reader.next(0xa0));
  const value = wrapper.next();
  const text = type === userPrincipalName ? stringText(wrapper, value) : undefined;
  if (text !== undefined) {
    (found.upn ??= []).push(text);
    return;
  }
  const der = reader.bytes.toString("base64", value.offset, value.end);
  (found.other ??= []).push({ type, der });
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
