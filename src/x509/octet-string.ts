import { type DerElement, DerError, type DerReader, tags, unexpectedTag } from "./reader.ts";

/** An OCTET STRING in chunks, as BER allows it. */
export const chunkedOctetString = 0x24;

/** Chunks may be in chunks themselves; nobody nests them deeper. */
const maxNesting = 8;

/**
 * The octets of an OCTET STRING: a view of a primitive one, a copy of one in chunks. Throws `DerError` for another
 * element.
 */
export function octetStringOf(reader: DerReader, element: DerElement, depth = 0): Buffer {
  if (element.tag === tags.octetString) return reader.content(element);
  if (element.tag !== chunkedOctetString) throw unexpectedTag(element.tag, tags.octetString);
  if (depth === maxNesting) throw new DerError("nested too deeply");
  const list = reader.inside(element);
  const chunks: Buffer[] = [];
  while (list.hasMore) chunks.push(octetStringOf(list, list.next(), depth + 1));
  return Buffer.concat(chunks);
}
