import { readOid } from "./oid.ts";
import { type DerElement, DerError, DerReader, tags } from "./reader.ts";

/** Reads one extension's value; `value` is a reader of the octets inside the OCTET STRING. */
export type ExtensionHandler<T> = (target: T, value: DerReader) => void;

/**
 * Reads Extensions (`element` is their SEQUENCE) and gives each known one to its handler. A handler
 * that meets malformed DER costs only its own extension, which `report` is told about.
 */
export function readExtensions<T>(
  reader: DerReader,
  element: DerElement,
  handlers: ReadonlyMap<string, ExtensionHandler<T>>,
  target: T,
  report: (part: string, reason: string) => void,
): void {
  const extensions = reader.inside(element);
  const seen = new Set<string>();
  while (extensions.hasMore) {
    const extension = extensions.sequence();
    const oid = readOid(extension);
    extension.optional(tags.boolean);
    const value = extension.next(tags.octetString);
    const handler = handlers.get(oid);
    if (handler === undefined) continue;
    if (seen.has(oid)) {
      report(oid, "extension occurs twice; the first one counts");
      continue;
    }
    seen.add(oid);
    attempt(
      () => handler(target, new DerReader(reader.bytes, value.start, value.end)),
      (reason) => report(oid, reason),
    );
  }
}

/** Runs `read`; malformed DER goes to `report` instead of up. */
export function attempt(read: () => void, report: (reason: string) => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    report(error.message);
  }
}
