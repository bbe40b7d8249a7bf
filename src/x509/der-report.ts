import type { RepeatedValues } from "../repeated-values.ts";
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
  /** True if the part is well-formed and left out because it is or may be a secret. */
  readonly isWithheld?: true;
}

/**
 * Problems of one part that are named: of the members of its lists, and of the part itself. The rest is only
 * counted, so that a requester can neither flood the event nor hide the problems of another part.
 */
const maxProblemsOfPart = 32;
/** Problems of a whole value that are named; beyond it, each part has an equal share, and at least one. */
const maxProblemsOfValue = 256;

/** A part with its own limit, and the numbers of problems found in it. */
interface PartCount {
  readonly part: string;
  ofMembers: number;
  ofItself: number;
}

/** A problem, and its number among those of its part that are of the same sort, from 1. */
interface NumberedProblem {
  readonly problem: DerProblem;
  readonly count: PartCount;
  readonly number: number;
}

/** What the reports of one value share. */
interface SharedFindings {
  /** Problems that were added, those that are not named among them. */
  added: number;
  readonly found: NumberedProblem[];
  /** By place, so that a part that is read twice has one limit. */
  readonly counts: Map<string, PartCount>;
}

function newFindings(): SharedFindings {
  return { added: 0, found: [], counts: new Map() };
}

/** Collects the problems of one value, each with its place, which is made when it is needed: most parts have no problem. */
export class DerReport {
  readonly #shared: SharedFindings;
  readonly #name: string | number;
  readonly #outer: DerReport | undefined;

  /**
   * `name`: the place that this report is for, within `outer` if there is one: the name of a part, or the index of a
   * member in brackets. Default: the whole value.
   */
  constructor(name: string | number = "", outer?: DerReport) {
    this.#shared = outer === undefined ? newFindings() : outer.#shared;
    this.#name = name;
    this.#outer = outer;
  }

  get #place(): string {
    const outer = this.#outer === undefined ? "" : this.#outer.#place;
    if (typeof this.#name === "number") return `${outer}[${this.#name}]`;
    return `${outer}${outer === "" ? "" : "."}${this.#name}`;
  }

  /** The problems so far of the value; those that are over a limit are counted at the end, for each part. */
  get problems(): DerProblem[] {
    const { found } = this.#shared;
    if (found.length === 0) return [];
    const counts = new Set(found.map(({ count }) => count));
    const limit = limitOfPart(found.length, counts.size);
    const named = found.filter(({ number }) => number <= limit).map(({ problem }) => problem);
    return [...named, ...[...counts].flatMap((count) => unnamedProblems(count, limit))];
  }

  /** The report of a part within this one, which has its own limit of problems. */
  at(name: string): DerReport {
    return new DerReport(name, this);
  }

  add(reason: string, octets?: Buffer): void {
    this.#add({ part: this.#place, reason, ...(octets !== undefined && { octets }) });
  }

  /** Adds that the part is left out because it is or may be a secret. */
  withhold(reason: string): void {
    this.#add({ part: this.#place, reason, isWithheld: true });
  }

  #add(problem: DerProblem): void {
    const count = this.#count;
    this.#shared.added += 1;
    const number = typeof this.#name === "string" ? ++count.ofItself : ++count.ofMembers;
    if (number > maxProblemsOfPart) return;
    this.#shared.found.push({ problem, count, number });
  }

  /** The numbers of the part; a member of a list counts for the list. */
  get #count(): PartCount {
    if (typeof this.#name === "number" && this.#outer !== undefined) return this.#outer.#count;
    const part = this.#place;
    const { counts } = this.#shared;
    const known = counts.get(part);
    if (known !== undefined) return known;
    const count = { part, ofMembers: 0, ofItself: 0 };
    counts.set(part, count);
    return count;
  }

  /**
   * What `read` makes of an element, or made of the same bytes before. Only what is read without a problem is kept, and
   * it is shared: see `RepeatedValues`.
   */
  once<T>(known: RepeatedValues<T>, reader: DerReader, element: DerElement, read: () => T): T {
    // Of a value that was cut the bytes are not those of the element.
    if (element.after > reader.bytes.length) return read();
    const key = reader.bytes.toString("latin1", element.offset, element.after);
    const found = known.get(key);
    if (found !== undefined) return found;
    const { added } = this.#shared;
    const value = read();
    if (this.#shared.added === added) known.keep(key, value);
    return value;
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
    for (let index = 0; list.hasMore; index++) {
      const report = new DerReport(index, this);
      const before = list.position;
      try {
        read(list.next(), report);
      } catch (error) {
        report.#caught(error);
      }
      if (list.position === before) break;
    }
  }
}

/** How many problems of each sort a part may name. */
function limitOfPart(found: number, parts: number): number {
  if (found <= maxProblemsOfValue) return maxProblemsOfPart;
  return Math.max(1, Math.floor(maxProblemsOfValue / (2 * parts)));
}

function unnamedProblems({ part, ofMembers, ofItself }: PartCount, limit: number): DerProblem[] {
  const [members, itself] = [ofMembers, ofItself].map((count) => Math.max(0, count - limit));
  const problems: DerProblem[] = [];
  if (members)
    problems.push({ part, reason: `${members} more problems of this list are not named` });
  if (itself) problems.push({ part, reason: `${itself} more problems of this part are not named` });
  return problems;
}
