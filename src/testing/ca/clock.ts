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

function timeOf(time: Date | string): number {
  const milliseconds = new Date(time).getTime();
  if (Number.isNaN(milliseconds)) throw usageError(`clock: ${String(time)} is not a time`);
  return milliseconds;
}
