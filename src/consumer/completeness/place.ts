import { CertwireError } from "../../errors/certwire-error.ts";
import type { CertwireEvent } from "../../events/event.ts";

/** The place of an event in the journal of its CA. */
export interface EventPlace {
  /** Identifies the epoch (one start of the CA): 32 lower-case hex digits. */
  readonly epochId: string;
  /** Sorts the epochs of a journal; not unique. */
  readonly epochNumber: number;
  /** Number of the record within its epoch, from 1. */
  readonly sequence: number;
  /** Which event of the record it is. */
  readonly index: number;
}

/** Index of `ca.changed`, which comes from the record of another event. */
export const changedIndex = 65_534;
/** Index of a gap that the reader of the journal found, which is not a record. */
export const foundGapIndex = 65_535;

const idPattern = /^([0-9a-f]{32})-(\d{1,19})-(\d{1,5})$/;
const sequencePattern = /^(\d{10})-(\d{20})$/;
/** Of what a row of the CA's database says, and of a finding of a comparison with it. */
const databaseIdPattern = /^(?:db|rf)-[\w-]{22}$/;

/**
 * True for an event from the CA's database, such as a finding, which has no place in a journal. Throws
 * CERTWIRE_MESSAGE_INVALID if it says that it is one, and its id is not that of one.
 */
export function isFromDatabase({
  id,
  origin,
  sequence,
  contentid,
}: Pick<CertwireEvent, "id" | "origin" | "sequence" | "contentid">): boolean {
  if (origin !== "database") return false;
  const isOfContent = contentid === undefined || id === `db-${contentid}`;
  if (!databaseIdPattern.test(id) || !isOfContent || sequence !== undefined) {
    throw invalid("database");
  }
  return true;
}

/** Throws CERTWIRE_MESSAGE_INVALID if id and sequence of an event name no place in a journal. */
export function placeOf({ id, sequence }: Pick<CertwireEvent, "id" | "sequence">): EventPlace {
  const [, epochId, ofId, index] = idPattern.exec(id) ?? [];
  const [, epochNumber, ofSequence] = sequencePattern.exec(sequence ?? "") ?? [];
  if (epochId === undefined || epochNumber === undefined) throw invalid("form");
  const number = Number(ofId);
  if (!Number.isSafeInteger(number) || number < 1) throw invalid("range");
  if (number !== Number(ofSequence)) throw invalid("agreement");
  return { epochId, epochNumber: Number(epochNumber), sequence: number, index: Number(index) };
}

const reasons = {
  form: "its id and sequence do not have the form of Certwire",
  range: "the number of its record is out of range",
  agreement: "its id and sequence name different records",
  database:
    "it is from the CA's database, and its id and attributes are not those of such an event",
} as const;

function invalid(reason: keyof typeof reasons): CertwireError {
  const message = `not an event of Certwire: ${reasons[reason]}`;
  return new CertwireError("CERTWIRE_MESSAGE_INVALID", message);
}
