import { type Algorithm, readAlgorithm } from "./algorithm.ts";
import type { DerProblem } from "./certificate.ts";
import { attempt, type ExtensionHandler, type Report, readExtensions } from "./extensions.ts";
import { integerDecimal } from "./integer.ts";
import { readAuthorityKeyIdentifier } from "./key-identifiers.ts";
import { type DistinguishedName, readName } from "./name.ts";
import { DerReader, tags } from "./reader.ts";
import { timeText } from "./time.ts";

/** A parsed CRL; a part that could not be read is absent and named in `problems`. */
export interface ParsedCrl {
  issuer?: DistinguishedName;
  /** RFC 3339, UTC, whole seconds. */
  thisUpdate?: string;
  /** RFC 3339, UTC, whole seconds. */
  nextUpdate?: string;
  /** Decimal, because CRL numbers may have 20 octets. */
  number?: string;
  /** Of a delta CRL: the number of its base CRL, decimal. */
  baseNumber?: string;
  /** When the CA plans to publish the next CRL; RFC 3339, UTC, whole seconds. */
  nextPublish?: string;
  /** Indexes of the CA certificate and of the key that signed this CRL, from 0. */
  caVersion?: { readonly certificateIndex: number; readonly keyIndex: number };
  /** Lower-case hex. */
  authorityKeyIdentifier?: string;
  signatureAlgorithm?: Algorithm;
  /** Number of revoked certificates in the CRL. */
  entryCount?: number;
}

const handlers: ReadonlyMap<string, ExtensionHandler<ParsedCrl>> = new Map<
  string,
  ExtensionHandler<ParsedCrl>
>([
  [
    "2.5.29.20",
    (crl, value) => void (crl.number = integerDecimal(value.content(value.next(tags.integer)))),
  ],
  [
    "2.5.29.27",
    (crl, value) => void (crl.baseNumber = integerDecimal(value.content(value.next(tags.integer)))),
  ],
  [
    "2.5.29.35",
    (crl, value) => {
      const identifier = readAuthorityKeyIdentifier(value);
      if (identifier !== undefined) crl.authorityKeyIdentifier = identifier;
    },
  ],
  ["1.3.6.1.4.1.311.21.4", (crl, value) => void (crl.nextPublish = timeText(value, value.next()))],
  [
    "1.3.6.1.4.1.311.21.1",
    (crl, value) => {
      const version = value.smallInteger(value.next(tags.integer));
      crl.caVersion = { certificateIndex: version & 0xffff, keyIndex: version >>> 16 };
    },
  ],
]);

/** Parses a CRL; its entries are only counted. Never throws: malformed parts are named in `problems`. */
export function parseCrl(der: Buffer): {
  readonly crl: ParsedCrl;
  readonly problems: readonly DerProblem[];
} {
  const crl: ParsedCrl = {};
  const problems: DerProblem[] = [];
  const report: Report = (part) => (reason) => problems.push({ part, reason });
  attempt(() => readCrl(new DerReader(der).sequence().sequence(), crl, report), report("crl"));
  return { crl, problems };
}

function readCrl(reader: DerReader, crl: ParsedCrl, report: Report): void {
  reader.optional(tags.integer);
  const algorithm = reader.inside(reader.next(tags.sequence));
  const issuer = reader.next(tags.sequence);
  attempt(
    () => void (crl.signatureAlgorithm = readAlgorithm(algorithm)),
    report("signatureAlgorithm"),
  );
  attempt(() => void (crl.issuer = readName(reader, issuer)), report("issuer"));
  const thisUpdate = reader.next();
  attempt(() => void (crl.thisUpdate = timeText(reader, thisUpdate)), report("thisUpdate"));
  const nextUpdate = reader.optional(tags.utcTime) ?? reader.optional(tags.generalizedTime);
  if (nextUpdate !== undefined) {
    attempt(() => void (crl.nextUpdate = timeText(reader, nextUpdate)), report("nextUpdate"));
  }
  const entries = reader.optional(tags.sequence);
  crl.entryCount = 0;
  if (entries !== undefined) {
    const list = reader.inside(entries);
    attempt(() => void (crl.entryCount = countEntries(list)), report("entries"));
  }
  const extensions = reader.optional(0xa0);
  if (extensions === undefined) return;
  readExtensions(reader.inside(extensions).sequence(), handlers, crl, report);
}

function countEntries(list: DerReader): number {
  let count = 0;
  for (; list.hasMore; count++) list.next(tags.sequence);
  return count;
}
