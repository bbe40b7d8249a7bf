import type { SimulatedEvent, SimulatedValue } from "../src/native/addon.ts";
import { type DerElement, DerReader, tags } from "../src/x509/reader.ts";

/** Leaves shorter than this stay: versions, key usage and the like, of which there are only a few. In bytes. */
const shortestLeaf = 4;

/** The DER of an extension value. */
const contextConstructed = 0xa0;

/** It identifies the CA: with another one in each event, each would be preceded by one about the change. */
const caCertificate = "RawCACertificate";

/**
 * An event in which no value but the CA's certificate is that of another one: `number` goes into each text and each leaf of the DER, in the same
 * way wherever the value stands, so that copies of a value still agree. Lengths and kinds stay as they are.
 */
export function uniqueEvent(event: SimulatedEvent, number: number): SimulatedEvent {
  const unique = (values: Readonly<Record<string, SimulatedValue>>) =>
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => [
        name,
        name === caCertificate ? value : uniqueValue(value, number),
      ]),
    );
  return {
    ...event,
    request: unique(event.request),
    certificate: unique(event.certificate),
    attributes: event.attributes.map(([name, value]) => [name, uniqueText(value, number)]),
    extensions: event.extensions.map(([oid, flags, der]) => [oid, flags, uniqueDer(der, number)]),
  };
}

function uniqueValue(value: SimulatedValue, number: number): SimulatedValue {
  if ("binary" in value) return { binary: uniqueDer(value.binary, number) };
  if ("string" in value) return { string: uniqueText(value.string, number) };
  return value;
}

function digitsOf(number: number): string {
  return number.toString(36).padStart(shortestLeaf, "0").slice(-shortestLeaf);
}

function uniqueText(text: string, number: number): string {
  return text.length < shortestLeaf ? text : text.slice(0, -shortestLeaf) + digitsOf(number);
}

function uniqueDer(der: Buffer, number: number): Buffer {
  const copy = Buffer.from(der);
  changeLeaves(new DerReader(copy), number);
  return copy;
}

function changeLeaves(reader: DerReader, number: number): void {
  try {
    let isFirst = true;
    while (reader.hasMore) {
      const element = reader.next();
      // The first OID of a SEQUENCE says what follows.
      if (!(isFirst && element.tag === tags.oid)) changeElement(reader, element, number);
      isFirst = false;
    }
  } catch {
    // Not DER, so a leaf.
  }
}

function changeElement(reader: DerReader, element: DerElement, number: number): void {
  const isConstructed = (element.tag & 0x20) !== 0;
  if (isConstructed || isWrapped(reader, element)) {
    changeLeaves(reader.inside(element), number);
    return;
  }
  const { start, end, tag } = element;
  const isTime = tag === tags.utcTime || tag === tags.generalizedTime;
  if (isTime || end - start < shortestLeaf) return;
  // Arcs below 128 in an OID, digits and letters everywhere else.
  reader.bytes.write(digitsOf(number), end - shortestLeaf, "latin1");
}

/** True for an OCTET STRING that holds one element, as that of an extension. */
function isWrapped(reader: DerReader, element: DerElement): boolean {
  if (element.tag !== tags.octetString) return false;
  const inner = reader.inside(element);
  const tag = inner.nextTag;
  if (tag < 0 || !(tag === tags.sequence || tag === tags.octetString || tag >= contextConstructed))
    return false;
  try {
    inner.next();
    return !inner.hasMore;
  } catch {
    return false;
  }
}
