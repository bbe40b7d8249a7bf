import { InvalidArgumentError } from "commander";

/** Reads a number that is not negative. */
export function parseRate(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError("It must be a number, 0 or more.");
}

/** Reads a whole number above zero. */
export function parseCount(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError("It must be a whole number, 1 or more.");
}

/** Reads a whole number that is not negative. */
export function parseWhole(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError("It must be a whole number, 0 or more.");
}

/** Reads a time in whole seconds, at most an hour. */
export function parseSeconds(text: string): number {
  const value = Number(text);
  if (/^\d{1,4}$/.test(text) && value <= 3600) return value;
  throw new InvalidArgumentError("It must be a whole number of seconds, 0 to 3600.");
}

/** Reads the time between two looks, in whole seconds, at most an hour. */
export function parseInterval(text: string): number {
  const value = parseSeconds(text);
  if (value > 0) return value;
  throw new InvalidArgumentError("It must be a whole number of seconds, 1 to 3600.");
}

/** Reads a point in time: RFC 3339, or a date alone (its midnight in UTC). */
export function parseTime(text: string): Date {
  const isKnown =
    /^\d{4}-\d{2}-\d{2}([Tt ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?([Zz]|[+-]\d{2}:\d{2}))?$/.test(text);
  const time = new Date(text);
  if (isKnown && !Number.isNaN(time.getTime()) && isDay(text.slice(0, 10))) return time;
  throw new InvalidArgumentError("It must look like 2026-01-31 or 2026-01-31T12:00:00Z.");
}

/** False for a day such as 2026-02-30, which `Date` takes for 2 March. */
function isDay(text: string): boolean {
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}
