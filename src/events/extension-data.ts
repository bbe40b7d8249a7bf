import { type ExitRecord, isCut } from "../exit/record.ts";
import { RepeatedValues } from "../repeated-values.ts";
import { extensionNames } from "../x509/oid-names.ts";
import type { RecordedCertificate } from "./certificate-row.ts";
import type { EventOptions } from "./envelope.ts";
import type { Problems } from "./problems.ts";
import { binaryText, textValue } from "./property-values.ts";
import { shared } from "./shared-json.ts";
import { extensionOrigins } from "./words/flags.ts";

const origins: Readonly<Record<number, string>> = extensionOrigins;

/** The bits of an extension's flags that a certificate, or `origin`, says too: critical, and where it is from. */
const saidBits = 0xf_0001;

/**
 * The CA's extension table. Of an extension that stands in the certificate as it is, `standard` says only who
 * set it; one that the certificate has in another form is a problem.
 */
export function extensionData(
  { extensions }: ExitRecord,
  certificate: RecordedCertificate | undefined,
  { detail = "standard" }: EventOptions,
  problems: Problems,
): object[] {
  return extensions.map(({ oid: recordOid, flags, der }) => {
    const oid = textValue(recordOid, "extensions", problems);
    const comparison = certificate?.compareExtension(oid, flags, der) ?? "unsaid";
    if (comparison === "same" && detail === "standard" && (flags & ~saidBits) === 0) {
      return { oid, origin: originOf(flags) };
    }
    const place = `extension.${oid}`;
    if (comparison === "different") problems.add(place, "conflict");
    if (isCut(der)) return entryOf(oid, flags, binaryText(der, place, problems));
    const key = `${flags} ${oid.length} ${oid}${der.toString("latin1")}`;
    const known = knownEntries.get(key);
    if (known !== undefined) return shared(known);
    const entry = entryOf(oid, flags, der.toString("base64"));
    knownEntries.keep(key, entry);
    return entry;
  });
}

/** Most extensions of a certificate are those of its template and its CA. */
const knownEntries = new RepeatedValues<object>();

function entryOf(oid: string, flags: number, der: string | undefined): object {
  return {
    oid,
    // JSON leaves out an undefined member, and one shape for all objects keeps this path fast.
    name: extensionNames.get(oid),
    critical: (flags & 1) !== 0,
    disabled: (flags & 2) !== 0,
    origin: originOf(flags),
    flags,
    der,
  };
}

function originOf(flags: number): string {
  return origins[(flags >>> 16) & 0xf] ?? "unknown";
}
