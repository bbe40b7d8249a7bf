import { type Algorithm, readAlgorithm } from "./algorithm.ts";
import { type DerProblem, DerReport } from "./der-report.ts";
import { type ExtensionHandlers, readExtensions } from "./extensions.ts";
import { integerDecimal } from "./integer.ts";
import { readAuthorityKeyIdentifier } from "./key-identifiers.ts";
import { type DistinguishedName, readName } from "./name.ts";
import { type DerElement, DerError, DerReader, tags } from "./reader.ts";
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
  /** Number of revoked certificates in the CRL; absent if the exit module cut it. */
  entryCount?: number;
}

const handlers: ExtensionHandlers<ParsedCrl> = new Map([
  ["2.5.29.20", { read: (crl, value) => void (crl.number = readNumber(value)) }],
  ["2.5.29.27", { read: (crl, value) => void (crl.baseNumber = readNumber(value)) }],
  [
    "2.5.29.35",
    {
      read: (crl, value) => {
        const identifier = readAuthorityKeyIdentifier(value);
        if (identifier !== undefined) crl.authorityKeyIdentifier = identifier;
      },
    },
  ],
  [
    "1.3.6.1.4.1.311.21.4",
    { read: (crl, value) => void (crl.nextPublish = timeText(value, value.next())) },
  ],
  [
    "1.3.6.1.4.1.311.21.1",
    {
      read: (crl, value) => {
        const version = value.smallInteger(value.next(tags.integer));
        crl.caVersion = { certificateIndex: version & 0xffff, keyIndex: version >>> 16 };
      },
    },
  ],
]);

function readNumber(value: DerReader): string {
  return integerDecimal(value.content(value.next(tags.integer)));
}

/** What could be read of a CRL, and what could not. */
export interface CrlResult {
  readonly crl: ParsedCrl;
  readonly problems: readonly DerProblem[];
}

/** Parses a CRL; its entries are only counted. Never throws: malformed parts are named in `problems`. */
export function parseCrl(der: Buffer): CrlResult {
  return parse((crl, report) => {
    const reader = new DerReader(der).sequence().sequence();
    const entries = readHead(reader, crl, report);
    crl.entryCount = 0;
    if (entries !== undefined) {
      const list = reader.inside(entries);
      report.at("entries").attempt(() => void (crl.entryCount = countEntries(list)));
    }
    readCrlExtensions(reader, crl, report);
  });
}

/** The parts of a CRL that the exit module keeps of one that is too large. */
export interface CrlEnds {
  /** Length of the whole CRL in bytes. */
  readonly length: number;
  /** Its first bytes. */
  readonly first: Buffer;
  /** Its last bytes. */
  readonly last: Buffer;
}

/**
 * Parses what is left of a CRL that the exit module cut: all that stands in front of and after the entries,
 * which are not counted. Never throws.
 */
export function parseCrlEnds({ length, first, last }: CrlEnds): CrlResult {
  return parse((crl, report) => {
    const reader = new DerReader(first, 0, length).sequence().sequence();
    const entries = readHead(reader, crl, report);
    const cutUpTo = length - last.length;
    if (entries === undefined || entries.after < cutUpTo) {
      throw new DerError("what follows the entries was cut");
    }
    const tail = new DerReader(last, entries.after - cutUpTo);
    readCrlExtensions(tail, crl, report);
  });
}

function parse(read: (crl: ParsedCrl, report: DerReport) => void): CrlResult {
  const crl: ParsedCrl = {};
  const report = new DerReport();
  report.at("crl").attempt(() => read(crl, report));
  return { crl, problems: report.problems };
}

/** Reads what stands in front of the entries; returns their element, `undefined` if the CRL has none. */
function readHead(reader: DerReader, crl: ParsedCrl, report: DerReport): DerElement | undefined {
  reader.optional(tags.integer);
  const [algorithm, issuer, thisUpdate] = [reader.next(), reader.next(), reader.next()];
  report.at("signatureAlgorithm").attempt(() => {
    crl.signatureAlgorithm = readAlgorithm(reader.insideSequence(algorithm));
  });
  const issuerReport = report.at("issuer");
  issuerReport.attempt(() => void (crl.issuer = readName(reader, issuer, issuerReport)));
  report.at("thisUpdate").attempt(() => void (crl.thisUpdate = timeText(reader, thisUpdate)));
  const nextUpdate = reader.optional(tags.utcTime) ?? reader.optional(tags.generalizedTime);
  if (nextUpdate !== undefined) {
    report.at("nextUpdate").attempt(() => void (crl.nextUpdate = timeText(reader, nextUpdate)));
  }
  return reader.optional(tags.sequence);
}

function readCrlExtensions(reader: DerReader, crl: ParsedCrl, report: DerReport): void {
  const extensions = reader.optional(0xa0);
  if (extensions === undefined) return;
  readExtensions(reader.inside(extensions).sequence(), handlers, crl, report);
}

function countEntries(list: DerReader): number {
  let count = 0;
  for (; list.hasMore; count++) list.next(tags.sequence);
  return count;
}
