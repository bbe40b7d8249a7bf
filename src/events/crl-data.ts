import { type ExitRecord, isCut, type RecordCrl } from "../exit/record.ts";
import { type ParsedCrl, parseCrl, parseCrlEnds } from "../x509/crl.ts";
import type { DerProblem } from "../x509/der-report.ts";
import { type Digest, digestOf } from "./digest.ts";
import { addDerProblems, type Problems } from "./problems.ts";
import { binaryText } from "./property-values.ts";

/** One event of a CRL record. */
export interface CrlParts {
  /** Index of the CRL in the record. */
  readonly index: number;
  readonly subject: string | undefined;
  /** Hash of the CRL, lower-case hex; `undefined` if there is no CRL, or the exit module had no time to compute it. */
  readonly sha256: string | undefined;
  readonly data: Record<string, unknown>;
}

/** A CRL that was issued when its record was made: one event. */
export interface IssuedCrl {
  /** Subject of its event. */
  readonly subject: string;
  /** As in `CrlParts`. */
  readonly sha256: string | undefined;
  /** RFC 3339; `undefined` if the CRL does not say. */
  readonly thisUpdate: string | undefined;
  /** As in `RecordCrl`. */
  readonly partition: number | undefined;
}

interface Snapshot {
  readonly index: number;
  readonly recorded: RecordCrl;
  readonly crl: ParsedCrl;
  readonly derProblems: readonly DerProblem[];
  readonly digest: Digest;
}

/**
 * The events of a CRL record, at least one. All CRLs of one publication share a number, so each CRL with the
 * highest number in the snapshot makes an event. A CRL whose number cannot be read makes one too, because it
 * may be one of them.
 */
export function crlParts(record: ExitRecord, common: Problems): CrlParts[] {
  const snapshot = snapshotOf(record);
  const issued = newestOf(snapshot);
  if (issued.length === 0) {
    const data = { current: [], problems: common.list };
    return [{ index: 0, subject: undefined, sha256: undefined, data }];
  }
  return issued.map((item) => {
    const problems = common.copy();
    return {
      index: item.index,
      subject: subjectOf(item),
      sha256: item.digest.sha256,
      data: {
        crl: crlData(item, problems),
        current: snapshot.filter((other) => other !== item).map(summary),
        problems: problems.list,
      },
    };
  });
}

/** The CRLs of which `crlParts` makes events, without the work of making them. */
export function issuedCrls(record: ExitRecord): IssuedCrl[] {
  return newestOf(snapshotOf(record)).map((item) => ({
    subject: subjectOf(item),
    sha256: item.digest.sha256,
    thisUpdate: item.crl.thisUpdate,
    partition: item.recorded.partition,
  }));
}

/** All CRLs of a record that is not a CRL record. */
export function crlList(record: ExitRecord, problems: Problems): object[] {
  return record.crls.map((recorded, index) => crlData(read(recorded, index), problems));
}

function snapshotOf({ crls }: ExitRecord): Snapshot[] {
  return crls.map((crl, index) => read(crl, index));
}

function newestOf(snapshot: readonly Snapshot[]): Snapshot[] {
  return snapshot.filter(({ crl }) => isNewest(crl, snapshot));
}

function read(recorded: RecordCrl, index: number): Snapshot {
  const { der } = recorded;
  const { crl, problems: derProblems } = isCut(der) ? parseCrlEnds(der) : parseCrl(der);
  return { index, recorded, crl, derProblems, digest: digestOf(der) };
}

function isNewest(crl: ParsedCrl, snapshot: readonly Snapshot[]): boolean {
  const { number } = crl;
  if (number === undefined) return true;
  return snapshot.every(({ crl: other }) => !isHigher(other.number, number));
}

/** Compares decimal numbers of any size. */
function isHigher(candidate: string | undefined, number: string): boolean {
  return candidate !== undefined && BigInt(candidate) > BigInt(number);
}

function summary({ recorded, crl, digest }: Snapshot): Record<string, unknown> {
  const { number } = crl;
  const { sha256 } = digest;
  return {
    index: recorded.index,
    kind: recorded.kind,
    ...partitionOf(recorded),
    ...(number !== undefined && { number }),
    ...(sha256 !== undefined && { sha256 }),
  };
}

function crlData(
  { recorded, crl, derProblems, digest }: Snapshot,
  problems: Problems,
): Record<string, unknown> {
  const { index, kind, der } = recorded;
  addDerProblems(problems, "crl", derProblems);
  const name = `ca.${kind === "base" ? "RawCRL" : "RawDeltaCRL"}.${index}`;
  return {
    index,
    kind,
    ...partitionOf(recorded),
    ...crl,
    ...digest,
    der: binaryText(der, name, problems),
  };
}

function partitionOf({ partition }: RecordCrl): { partition?: number } {
  return partition === undefined ? {} : { partition };
}

function subjectOf({ recorded, crl }: Snapshot): string {
  const { index, kind, partition } = recorded;
  const place = `crl/${index}/${kind}${partition === undefined ? "" : `/${partition}`}`;
  return crl.number === undefined ? place : `${place}/${crl.number}`;
}
