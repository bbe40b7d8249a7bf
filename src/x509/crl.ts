import { type Algorithm, readAlgorithm } from "./algorithm.ts";
import type { DerProblem } from "./certificate.ts";
import { attempt, type ExtensionHandler, readExtensions } from "./extensions.ts";
import { integerDecimal } from "./integer.ts";
import { readAuthorityKeyIdentifier } from "./key-identifiers.ts";
import { type DistinguishedName, readName } from "./name.ts";
import { DerReader, tags } from "./reader.ts";
import { timeText } from "./time.ts";

/** What a CRL says; a part that could not be read is absent and named in `problems`. */
export interface ParsedCrl {
  issuer?: DistinguishedName;
  /** RFC 3339, UTC. */
  thisUpdate?: string;
  nextUpdate?: string;
  /** Decimal, because CRL numbers may have 20 octets. */
  number?: string;
  /** Number of the base CRL that a delta CRL belongs to. */
  baseNumber?: string;
  /** When the CA means to publish the next one; RFC 3339, UTC. */
  nextPublish?: string;
  /** Index of the CA's certificate and of its key, which signed this CRL. */
  caVersion?: { readonly certificateIndex: number; readonly keyIndex: number };
  authorityKeyIdentifier?: string;
  signatureAlgorithm?: Algorithm;
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

/** Parses a CRL. Never throws; its entries are counted, not built. */
export function parseCrl(der: Buffer): {
  readonly crl: ParsedCrl;
  readonly problems: readonly DerProblem[];
} {
  const crl: ParsedCrl = {};
  const problems: DerProblem[] = [];
  const report = (part: string) => (reason: string) => void problems.push({ part, reason });
  attempt(() => readCrl(new DerReader(der).sequence().sequence(), crl, report), report("crl"));
  return { crl, problems };
}

function readCrl(
  reader: DerReader,
  crl: ParsedCrl,
  report: (part: string) => (reason: string) => void,
): void {
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
  const wrapper = reader.inside(extensions);
  readExtensions(wrapper, wrapper.next(tags.sequence), handlers, crl, (part, reason) =>
    report(part)(reason),
  );
}

function countEntries(list: DerReader): number {
  let count = 0;
  for (; list.hasMore; count++) list.next(tags.sequence);
  return count;
}
