import type { RepeatedValues } from "../repeated-values.ts";
import type { DerReport } from "./der-report.ts";
import { readOid } from "./oid.ts";
import { type DerElement, type DerReader, tags } from "./reader.ts";

/** How an extension is read. */
export interface ExtensionHandler<T> {
  /** Parses the extension into `target`; `value` reads the octets inside the OCTET STRING. */
  readonly read: (target: T, value: DerReader, report: DerReport) => void;
  /** True if a repeated extension is read too, so that the first one does not hide it. Default false. */
  readonly isCumulative?: true;
  /**
   * What was made of the extension before, for one that is the same in many certificates and whose members nothing else
   * sets. Default: it is read each time.
   */
  readonly known?: RepeatedValues<Partial<T>>;
}

/** How the known extensions are read, by OID. */
export type ExtensionHandlers<T> = ReadonlyMap<string, ExtensionHandler<T>>;

/**
 * Passes each known extension to its handler, by OID; `extensions` reads the content of the SEQUENCE. An
 * extension that is malformed or repeated is reported and costs only itself. `seen` has the OIDs of the lists
 * read before, of a value that has more than one; default none.
 */
export function readExtensions<T>(
  extensions: DerReader,
  handlers: ExtensionHandlers<T>,
  target: T,
  report: DerReport,
  seen = new Set<string>(),
): void {
  report.at("extensions").eachMember(extensions, (member) => {
    const { oid, value, rest } = readExtension(extensions, member);
    const handler = handlers.get(oid);
    if (handler === undefined) return;
    if (seen.has(oid)) {
      report
        .at(oid)
        .add(handler.isCumulative ? "occurs twice" : "occurs twice; the first one counts");
      if (!handler.isCumulative) return;
    }
    seen.add(oid);
    const read = (into: T) => {
      const own = report.at(oid);
      own.attempt(() => rest.end());
      own.attempt(() => {
        handler.read(into, value, own);
        value.end();
      });
      return into;
    };
    const { known } = handler;
    if (known === undefined) read(target);
    else
      Object.assign(
        target as object,
        report.once(known, extensions, member, () => read({} as T)),
      );
  });
}

/** `rest` reads what stands after the value. */
function readExtension(
  list: DerReader,
  member: DerElement,
): { oid: string; value: DerReader; rest: DerReader } {
  const extension = list.insideSequence(member);
  const oid = readOid(extension);
  extension.optional(tags.boolean);
  return { oid, value: extension.inside(extension.next(tags.octetString)), rest: extension };
}
