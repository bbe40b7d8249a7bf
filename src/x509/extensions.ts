import { readOid } from "./oid.ts";
import { DerError, type DerReader, tags } from "./reader.ts";

/** Parses one extension into `target`; `value` reads the octets inside the OCTET STRING. */
export type ExtensionHandler<T> = (target: T, value: DerReader) => void;

/** Returns what reports a problem of the given part. */
export type Report = (part: string) => (reason: string) => void;

/**
 * Passes each known extension to its handler, by OID; `extensions` reads the content of the SEQUENCE. An
 * extension that is malformed or repeated is reported and costs only itself.
 */
export function readExtensions<T>(
  extensions: DerReader,
  handlers: ReadonlyMap<string, ExtensionHandler<T>>,
  target: T,
  report: Report,
): void {
  const seen = new Set<string>();
  while (extensions.hasMore) {
    const extension = extensions.sequence();
    const oid = readOid(extension);
    extension.optional(tags.boolean);
    const value = extension.next(tags.octetString);
    const handler = handlers.get(oid);
    if (handler === undefined) continue;
    if (seen.has(oid)) {
      report(oid)("extension occurs twice; the first one counts");
      continue;
    }
    seen.add(oid);
    attempt(() => handler(target, extension.inside(value)), report(oid));
  }
}

/** Runs `read` and reports malformed DER instead of throwing. */
export function attempt(read: () => void, report: (reason: string) => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    report(error.message);
  }
}
