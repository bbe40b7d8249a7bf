import type { CutBinary, RecordProblem } from "../exit/record.ts";
import type { DerProblem } from "../x509/der-report.ts";
import { withoutNul } from "../x509/text.ts";
import { type Digest, digestOf } from "./digest.ts";
import { shownText } from "./shown-text.ts";
import { hresultHex, hresultSymbol } from "./words/hresult.ts";

/**
 * A value as text, with what it was: `text` as it is, `integer` in decimal, `date` in RFC 3339, `binary` in
 * base64. It stands where the type of the value is not known beforehand, so that no member has two types.
 */
export interface TypedText {
  readonly type: "text" | "integer" | "date" | "binary";
  readonly value: string;
}

/** Something that an event does not show, or shows differently from what the CA said. */
export interface Problem extends Partial<TypedText>, Partial<Digest> {
  /** Group and name as in the record (`request.StatusCode`), or a path in the event's `data`. */
  readonly property: string;
  /**
   * `error` (the CA answered `hresult`), a word of the exit module (`budget`, `limit`, `type`, `cut`,
   * `fault`), or one of the service's own: `malformed`, `text`, `range`, `conflict`, `withheld`, `omitted`, `redacted`.
   */
  readonly reason: string;
  /** For `error`: what the CA answered, `0x` and 8 hex digits. */
  readonly hresult?: string;
  /** For `error`: the symbol of `hresult`, if it is known. */
  readonly symbol?: string;
  /** More about the reason, for people. */
  readonly detail?: string;
  /** For `text` of the CA: the UTF-16LE code units in base64. */
  readonly utf16?: string;
  /** For `text` in a certificate, request or CRL: the octets of the string in base64. */
  readonly octets?: string;
  /** For `cut`: the first and the last bytes in base64. */
  readonly first?: string;
  readonly last?: string;
}

/** Collects the problems of one event, those that the exit module recorded first. */
export class Problems {
  readonly list: Problem[];
  #changes = 0;

  constructor(recorded: readonly RecordProblem[] = []) {
    this.list = recorded.flatMap(recordedProblems);
  }

  /** How often the list was changed. */
  get changes(): number {
    return this.#changes;
  }

  add(property: string, reason: string, more: Omit<Problem, "property" | "reason"> = {}): void {
    this.#changes += 1;
    // The names of properties and attributes are the CA's or the requester's.
    this.list.push({ property: withoutNul(property), reason, ...more });
  }

  /**
   * Adds length, hash and ends of a value that the exit module cut, to the problem that it recorded if there is
   * one. `mayShowEnds`: default true; false for a value whose ends may show a secret.
   */
  addCut(name: string, value: CutBinary, mayShowEnds = true): void {
    this.#changes += 1;
    const property = withoutNul(name);
    const problem = {
      property,
      reason: "cut",
      ...digestOf(value),
      ...(mayShowEnds && {
        first: value.first.toString("base64"),
        last: value.last.toString("base64"),
      }),
    };
    const recorded = this.list.findIndex(
      (each) => each.property === property && each.reason === "cut" && each.length === undefined,
    );
    if (recorded < 0) this.list.push(problem);
    else this.list[recorded] = problem;
  }

  /** A copy, so that each event of a record can have problems of its own. */
  copy(): Problems {
    const copy = new Problems();
    copy.list.push(...this.list);
    return copy;
  }
}

/** Adds what could not be read of a DER value, or not as it is; `place` is its path in the event's `data`. */
export function addDerProblems(
  problems: Problems,
  place: string,
  found: readonly DerProblem[],
): void {
  for (const { part, reason, octets, isWithheld } of found) {
    const property = `${place}.${part}`;
    if (isWithheld) problems.add(property, "withheld", { detail: reason });
    else if (octets === undefined) problems.add(property, "malformed", { detail: reason });
    else problems.add(property, "text", { detail: reason, octets: octets.toString("base64") });
  }
}

function recordedProblems({ name, reason }: RecordProblem): Problem[] {
  const { text: property, utf16 } = shownText(name);
  const shown = typeof reason === "string" ? shownText(reason) : undefined;
  const problem = { property, ...(shown ? { reason: shown.text } : errorOf(Number(reason))) };
  const replaced = [utf16, shown?.utf16].filter((bytes) => bytes !== undefined);
  return [
    problem,
    ...replaced.map((bytes) => ({ property, reason: "text", utf16: bytes.toString("base64") })),
  ];
}

function errorOf(code: number): Omit<Problem, "property"> {
  const hresult = hresultHex(code);
  const symbol = hresultSymbol(code);
  return { reason: "error", hresult, ...(symbol !== undefined && { symbol }) };
}
