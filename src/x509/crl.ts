import { type Algorithm, readAlgorithm } from "./algorithm.ts";
import { type DerProblem, DerReport } from "./der-report.ts";
import { type ExtensionHandlers, readExtensions } from "./extensions.ts";
import { integerDecimal } from "./integer.ts";
import { readAuthorityKeyIdentifier } from "./key-identifiers.ts";
import { type DistinguishedName, readName } from "./name.ts";
import { type DerElement, DerError, DerReader, tags, unexpectedElement } from "./reader.ts";
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
    readHead(reader, crl, report);
    const members = new CrlMembers(crl, report, (entries) => {
      if (entries === undefined) crl.entryCount = 0;
      else countEntries(reader.inside(entries), crl, report.at("entries"));
    });
    while (reader.hasMore) members.read(reader, reader.next());
    members.end();
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
    readHead(reader, crl, report);
    const members = new CrlMembers(crl, report, () => undefined);
    while (reader.hasMore && members.entries === undefined) members.read(reader, reader.next());
    const cutUpTo = length - last.length;
    const { entries } = members;
    if (entries === undefined || entries.after < cutUpTo) {
      throw new DerError("what follows the entries was cut");
    }
    const tail = new DerReader(last, entries.after - cutUpTo, reader.endsAt - cutUpTo);
    while (tail.hasMore) members.read(tail, tail.next());
  });
}

function parse(read: (crl: ParsedCrl, report: DerReport) => void): CrlResult {
  const crl: ParsedCrl = {};
  const report = new DerReport();
  report.at("crl").attempt(() => read(crl, report));
  return { crl, problems: report.problems };
}

/** Reads the parts that every CRL has. */
function readHead(reader: DerReader, crl: ParsedCrl, report: DerReport): void {
  reader.optional(tags.integer);
  const [algorithm, issuer, thisUpdate] = [reader.next(), reader.next(), reader.next()];
  report.at("signatureAlgorithm").attempt(() => {
    crl.signatureAlgorithm = readAlgorithm(reader.insideSequence(algorithm));
  });
  const issuerReport = report.at("issuer");
  issuerReport.attempt(() => void (crl.issuer = readName(reader, issuer, issuerReport)));
  report.at("thisUpdate").attempt(() => void (crl.thisUpdate = timeText(reader, thisUpdate)));
}

/**
 * Reads the optional parts of a CRL, each wherever it stands: an element that is not expected does not hide those
 * after it.
 */
class CrlMembers {
  readonly #crl: ParsedCrl;
  readonly #report: DerReport;
  readonly #own: DerReport;
  readonly #found: (entries: DerElement | undefined) => void;
  #isFound = false;
  #hasNextUpdate = false;
  #hasExtensions = false;
  #entries: DerElement | undefined;

  /** `found` is called once, with the list of entries, or without one if the CRL has none. */
  constructor(crl: ParsedCrl, report: DerReport, found: (entries: DerElement | undefined) => void) {
    this.#crl = crl;
    this.#report = report;
    this.#own = report.at("crl");
    this.#found = found;
  }

  /** Call it after the last member. */
  end(): void {
    this.#find(this.#entries);
  }

  /** The list of entries; `undefined` if none was read. */
  get entries(): DerElement | undefined {
    return this.#entries;
  }

  read(reader: DerReader, member: DerElement): void {
    const { tag } = member;
    if ((tag === tags.utcTime || tag === tags.generalizedTime) && !this.#hasNextUpdate) {
      this.#hasNextUpdate = true;
      const own = this.#report.at("nextUpdate");
      own.attempt(() => void (this.#crl.nextUpdate = timeText(reader, member)));
    } else if (tag === tags.sequence && this.#entries === undefined) {
      this.#entries = member;
      this.#find(member);
    } else if (tag === 0xa0 && !this.#hasExtensions) {
      this.#hasExtensions = true;
      this.#own.attempt(() => this.#readExtensions(reader.inside(member)));
    } else {
      this.#own.add(unexpectedElement(member).message);
    }
  }

  #find(entries: DerElement | undefined): void {
    if (this.#isFound) return;
    this.#isFound = true;
    this.#found(entries);
  }

  #readExtensions(wrapper: DerReader): void {
    readExtensions(wrapper.sequence(), handlers, this.#crl, this.#report);
    wrapper.end();
  }
}

function countEntries(list: DerReader, crl: ParsedCrl, report: DerReport): void {
  let [count, others] = [0, 0];
  report.attempt(() => {
    for (; list.hasMore; count++) if (list.next().tag !== tags.sequence) others += 1;
    crl.entryCount = count;
  });
  if (others > 0) report.add(`${others} entries are not a SEQUENCE`);
}
