import { type DerElement, DerError, type DerReader } from "./reader.ts";

/** A part of a value that could not be read, or is shown with another text, and why. */
export interface DerProblem {
  /**
   * Name of the part (`notBefore`), the OID of an extension, or the kind of the value for all that follows; a
   * member of a list has its index, from 0, in brackets (`2.5.29.17[0]`).
   */
  readonly part: string;
  /** What is wrong with its DER, for people. */
  readonly reason: string;
  /** The octets of a text that is not shown as it is; absent where a part is missing. */
  readonly octets?: Buffer;
}

/** Problems of one list that are named; the rest is only counted, so that a request cannot flood its event. */
const maxProblemsOfList = 32;

/** Collects the problems of one value, each with its place. */
export class DerReport {
  readonly #problems: DerProblem[];
  readonly #part: string;

  /** `problems`: where they go. `part`: the place that this report is for; default the whole value. */
  constructor(problems: DerProblem[], part = "") {
    this.#problems = problems;
    this.#part = part;
  }

  /** The report of a part within this one. */
  at(name: string): DerReport {
    return new DerReport(this.#problems, this.#part === "" ? name : `${this.#part}.${name}`);
  }

  add(reason: string, octets?: Buffer): void {
    const part = this.#part;
    this.#problems.push(octets === undefined ? { part, reason } : { part, reason, octets });
  }

  /** Runs `read` and reports malformed DER instead of throwing. */
  attempt(read: () => void): void {
    try {
      read();
    } catch (error) {
      this.#caught(error);
    }
  }

  #caught(error: unknown): void {
    if (!(error instanceof DerError)) throw error;
    this.add(error.message);
  }

  /**
   * Passes every member of `list` to `read`. A malformed one is reported with its index and costs only itself;
   * one whose length is wrong costs those after it, because nothing says where they begin.
   */
  eachMember(list: DerReader, read: (member: DerElement, report: DerReport) => void): void {
    const first = this.#problems.length;
    let unnamed = 0;
    for (let index = 0; list.hasMore; index++) {
      const report = new DerReport(this.#problems, `${this.#part}[${index}]`);
      const before = list.position;
      try {
        read(list.next(), report);
      } catch (error) {
        report.#caught(error);
      }
      const excess = this.#problems.length - first - maxProblemsOfList;
      if (excess > 0) {
        unnamed += excess;
        this.#problems.length -= excess;
      }
      if (list.position === before) break;
    }
    if (unnamed > 0) this.add(`${unnamed} more problems of this list are not named`);
  }
}
