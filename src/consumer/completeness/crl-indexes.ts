import type { CertwireEvent } from "../../events/event.ts";

interface Crl {
  readonly index: number;
  readonly number?: bigint;
}

/**
 * The indexes of all events that a CRL record makes, from the data of one of them: an event for each CRL whose number
 * is the highest, or cannot be read. Empty if the data does not say it.
 */
export function crlIndexes({ data }: CertwireEvent): number[] {
  const { crl, current } = data;
  const crls = [crl, ...(Array.isArray(current) ? current : [])].flatMap(crlOf);
  const numbers = crls.flatMap(({ number }) => (number === undefined ? [] : [number]));
  const highest = numbers.reduce((most, number) => (number > most ? number : most), 0n);
  return crls
    .filter(({ number }) => number === undefined || number === highest)
    .map(({ index }) => index);
}

function crlOf(value: unknown): Crl[] {
  const { index, number } = Object(value) as { index?: unknown; number?: unknown };
  if (typeof index !== "number") return [];
  const isNumber = typeof number === "string" && /^\d+$/.test(number);
  return [isNumber ? { index, number: BigInt(number) } : { index }];
}
