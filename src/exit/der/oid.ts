import { DerError } from "./reader.ts";

/** An OBJECT IDENTIFIER's content octets in dotted form; arcs are exact at any size. */
export function oidText(content: Buffer): string {
  if (content.length === 0 || content.length > 64)
    throw new DerError("OID of no or too many octets");
  const arcs: (number | bigint)[] = [];
  let arc: number | bigint = 0;
  for (const [index, octet] of content.entries()) {
    arc = nextArc(arc, octet & 0x7f);
    if (octet & 0x80) {
      if (index === content.length - 1) throw new DerError("OID ends inside an arc");
      continue;
    }
    arcs.push(arc);
    arc = 0;
  }
  const [first = 0, ...rest] = arcs;
  const root = first < 40 ? 0 : first < 80 ? 1 : 2;
  const second = typeof first === "bigint" ? first - 80n : first - 40 * root;
  return [root, second, ...rest].join(".");
}

/** Appends seven bits; changes over to BigInt before a number would lose precision. */
function nextArc(arc: number | bigint, bits: number): number | bigint {
  if (typeof arc === "bigint") return (arc << 7n) + BigInt(bits);
  return arc > 2 ** 45 ? (BigInt(arc) << 7n) + BigInt(bits) : arc * 128 + bits;
}
