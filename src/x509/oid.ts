import { type DerElement, DerError, type DerReader, tags } from "./reader.ts";

/** Reads the next element, an OBJECT IDENTIFIER, in its dotted form. */
export function readOid(reader: DerReader): string {
  return oidText(reader.bytes, reader.next(tags.oid));
}

/** A cache of dotted forms by octets: a CA uses the same few OIDs. Limited, because a request may hold any. */
const known = new Map<string, string>();
const maxKnown = 1024;

/**
 * The dotted form of an OBJECT IDENTIFIER whose octets are the content of `element`; arcs are exact at any
 * size. Throws `DerError`.
 */
export function oidText(bytes: Buffer, element: Pick<DerElement, "start" | "end">): string {
  const { start, end } = element;
  if (start === end || end - start > 64) throw new DerError("OID is empty or too long");
  const octets = bytes.toString("latin1", start, end);
  const found = known.get(octets);
  if (found !== undefined) return found;
  const text = dotted(bytes.subarray(start, end));
  if (known.size < maxKnown) known.set(octets, text);
  return text;
}

function dotted(octets: Buffer): string {
  let text = "";
  let arc: number | bigint = 0;
  let isFirst = true;
  for (const octet of octets) {
    // X.690 8.19.2: a longer form of the same number would let one OID pass for another one.
    if (isFirst && octet === 0x80) throw new DerError("OID has a padded arc");
    isFirst = (octet & 0x80) === 0;
    arc = nextArc(arc, octet & 0x7f);
    if (!isFirst) continue;
    text = text === "" ? firstArcs(arc) : `${text}.${arc}`;
    arc = 0;
  }
  if (!isFirst) throw new DerError("OID ends inside an arc");
  return text;
}

/** Appends seven bits; switches to BigInt before a number would lose precision. */
function nextArc(arc: number | bigint, bits: number): number | bigint {
  if (typeof arc === "bigint") return (arc << 7n) + BigInt(bits);
  return arc > 2 ** 45 ? (BigInt(arc) << 7n) + BigInt(bits) : arc * 128 + bits;
}

/** The first number of the encoding holds two arcs; the first of them is 0, 1 or 2. */
function firstArcs(first: number | bigint): string {
  if (typeof first === "bigint") return `2.${first - 80n}`;
  const root = first < 40 ? 0 : first < 80 ? 1 : 2;
  return `${root}.${first - 40 * root}`;
}

/** The octets of a dotted OID whose arcs are below 2^31. */
export function oidOctets(text: string): Buffer {
  const [root = 0, second = 0, ...arcs] = text.split(".").map(Number);
  return Buffer.from([root * 40 + second, ...arcs].flatMap(base128));
}

function base128(arc: number): number[] {
  const octets = [arc & 0x7f];
  for (let rest = arc >> 7; rest > 0; rest >>= 7) octets.unshift((rest & 0x7f) | 0x80);
  return octets;
}
