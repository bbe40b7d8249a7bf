import { hash } from "node:crypto";
import { type ExitRecord, isCut, type RecordCrl } from "../exit/record.ts";
import { type ParsedCrl, parseCrl, parseCrlEnds } from "../x509/crl.ts";
import { addDerProblems, Problems } from "./problems.ts";
import { hashOf, omittedCut } from "./property-values.ts";

/** One event of a CRL record. */
export interface CrlParts {
  /** Index of the CRL in the record. */
  readonly index: number;
  readonly subject: string | undefined;
  readonly data: Record<string, unknown>;
}

interface Snapshot {
  readonly index: number;
  readonly recorded: RecordCrl;
  readonly crl: ParsedCrl;
  readonly digest: { readonly sha256?: string };
  readonly problems: Problems;
}

/**
 * The events of a CRL record, at least one. All CRLs of one publication share a number, so each CRL with the
 * highest number in the snapshot makes an event. A CRL whose number cannot be read makes one too, because it
 * may be one of them.
 */
export function crlParts(record: ExitRecord, common: Problems): CrlParts[] {
  const snapshot = record.crls.map((crl, index) => read(crl, index));
  const issued = snapshot.filter(({ crl }) => isNewest(crl, snapshot));
  if (issued.length === 0) {
    return [{ index: 0, subject: undefined, data: { current: [], problems: common.list } }];
  }
  return issued.map((item) => ({
    index: item.index,
    subject: subjectOf(item),
    data: {
      crl: crlData(item),
      current: snapshot.filter((other) => other !== item).map(summary),
      problems: [...common.list, ...item.problems.list],
    },
  }));
}

/** All CRLs of a record that is not a CRL record. */
export function crlList(record: ExitRecord, problems: Problems): object[] {
  return record.crls.map((recorded, index) => {
    const item = read(recorded, index);
    problems.list.push(...item.problems.list);
    return crlData(item);
  });
}

function read(recorded: RecordCrl, index: number): Snapshot {
  const problems = new Problems();
  const { der } = recorded;
  const { crl, problems: found } = isCut(der) ? parseCrlEnds(der) : parseCrl(der);
  addDerProblems(problems, "crl", found);
  const digest = isCut(der) ? hashOf(der) : { sha256: hash("sha256", der) };
  return { index, recorded, crl, digest, problems };
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
  return {
    index: recorded.index,
    kind: recorded.kind,
    ...(number !== undefined && { number }),
    ...digest,
  };
}

function crlData({ recorded, crl, digest }: Snapshot): Record<string, unknown> {
  const { der } = recorded;
  return {
    index: recorded.index,
    kind: recorded.kind,
    ...crl,
    ...digest,
    length: der.length,
    der: isCut(der) ? omittedCut(der) : der.toString("base64"),
  };
}

function subjectOf({ recorded, crl }: Snapshot): string | undefined {
  const place = `crl/${recorded.index}/${recorded.kind}`;
  return crl.number === undefined ? place : `${place}/${crl.number}`;
}
