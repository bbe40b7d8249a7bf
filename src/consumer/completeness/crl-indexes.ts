import type { CertwireEvent } from "../../events/event.ts";

/** Most CRLs of a record, and longest number of one, that count; a CA has two CRLs for each of its keys. */
const maxCrls = 1024;
const decimalNumber = /^\d{1,1000}$/;

/**
 * The indexes of all events that a CRL record makes, from one of them and its index: an event for each CRL whose number
 * is the highest, or cannot be read. An index is the place in the list of the CA's CRLs, and `current` is that list
 * without the event's own CRL.
 */
export function crlIndexes({ data }: CertwireEvent, index: number): number[] {
  const { crl, current } = data;
  const others: readonly unknown[] = Array.isArray(current) ? current : [];
  // In an event that was made smaller the others may be left out.
  if (index > others.length || others.length >= maxCrls) return [index];
  const numbers = [...others.slice(0, index), crl, ...others.slice(index)].map(numberOf);
  const highest = numbers.reduce(
    (most: bigint, number) => (number && number > most ? number : most),
    0n,
  );
  return numbers.flatMap((number, at) => (number === undefined || number === highest ? [at] : []));
}

function numberOf(crl: unknown): bigint | undefined {
  const { number } = Object(crl) as { number?: unknown };
  return typeof number === "string" && decimalNumber.test(number) ? BigInt(number) : undefined;
}
