import { usageError } from "./usage-error.ts";

/** The clock of a test CA, which moves only when something happens at the CA or the test says so. */
export class TestClock {
  #milliseconds: number;

  /** Throws CERTWIRE_TESTING_OPTIONS if `start` is not a time. */
  constructor(start: Date | string) {
    this.#milliseconds = timeOf(start);
  }

  /** The time of the CA. */
  now(): Date {
    return new Date(this.#milliseconds);
  }

  /** Sets the time, forwards or back. Throws CERTWIRE_TESTING_OPTIONS if it is not a time. */
  set(time: Date | string): void {
    this.#milliseconds = timeOf(time);
  }

  /** Moves the time forwards, or back by a negative number of milliseconds. */
  advance(milliseconds: number): void {
    this.#milliseconds = timeOf(new Date(this.#milliseconds + milliseconds));
  }
}

/** True for a time that certificates can hold: 1950 is the first year of UTCTime, 9999 the last of GeneralizedTime. */
export function isCertificateTime(time: Date): boolean {
  const year = time.getUTCFullYear();
  return year >= 1950 && year <= 9999;
}

/** Years around the clock that the certificates of the CA reach into: from one before it to ten after it. */
const marginYears = 11;

function timeOf(time: Date | string): number {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) throw usageError(`clock: ${String(time)} is not a time`);
  const [first, last] = [1950 + marginYears, 9999 - marginYears];
  const year = date.getUTCFullYear();
  if (year < first || year > last) {
    throw usageError(`clock: ${date.toISOString()} is not in the years ${first} to ${last}`);
  }
  return date.getTime();
}
