import type { FoundLetter } from "../sources/dead-letters.ts";
import type { DeadLetterReason } from "../state/dead-letter.ts";

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

/** The filter in words, such as `sink rabbit, unroutable`. */
export function describeFilter({ sink = [], reason = [], id = [] }: LetterFilter): string {
  const parts = [...sink.map((name) => `sink ${name}`), ...reason, ...id];
  return parts.length > 0 ? parts.join(", ") : "none";
}
