import { CertwireError } from "../errors/certwire-error.ts";
import type { FoundLetter, OtherLine } from "../sources/dead-letters.ts";
import type { DeadLetterReason } from "../state/dead-letter.ts";
import { inLine } from "./output.ts";

/** All reasons, in the order of the documentation. */
export const deadLetterReasons = [
  "unroutable",
  "rejected",
  "unencodable",
  "undecodable",
] as const satisfies readonly DeadLetterReason[];

/** Options that choose dead letters; without any, all of the state directory. */
export interface LetterFilter {
  readonly config: string;
  readonly sink?: readonly string[];
  readonly reason?: readonly string[];
  readonly id?: readonly string[];
}

/** True for a letter that the options choose. */
export function isChosen({ letter, id }: FoundLetter, options: LetterFilter): boolean {
  const { sink, reason, id: ids } = options;
  return (
    (sink === undefined || sink.includes(letter.sink)) &&
    (reason === undefined || reason.includes(letter.reason)) &&
    (ids === undefined || ids.includes(id))
  );
}

/** How many lines of some files are not dead letters, and where the first of them is. */
export interface Others {
  count: number;
  first?: string;
}

/** Counts a line that is not a dead letter. */
export function countOther(others: Others, { place }: OtherLine): void {
  others.count += 1;
  others.first ??= place;
}

/** The count in words. */
export function othersText({ count, first = "" }: Others): string {
  return `${count} lines are not dead letters and are left out, first ${inLine(first)}`;
}

/** The filter in words, such as `sink rabbit, unroutable`. */
export function describeFilter({ sink = [], reason = [], id = [] }: LetterFilter): string {
  const parts = [...sink.map((name) => `sink ${name}`), ...reason, ...id];
  return parts.length > 0 ? parts.join(", ") : "none";
}

/** The error for an id that no dead letter has. */
export function unknownLetter(id: string): CertwireError {
  const hint = "`certwire dead-letters list` shows their ids.";
  return new CertwireError("CERTWIRE_USAGE", `there is no dead letter with the id ${id}`, { hint });
}
