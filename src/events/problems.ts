import type { RecordProblem } from "../exit/record.ts";
import type { DerProblem } from "../x509/der-report.ts";
import { withoutNul } from "../x509/text.ts";
import { shownText } from "./shown-text.ts";
import { hresultHex, hresultSymbol } from "./words/hresult.ts";

/** Something that an event does not show, or shows differently from what the CA said. */
export interface Problem {
  /** Group and name as in the record (`request.StatusCode`), or a path in the event's `data`. */
  readonly property: string;
  /**
   * `error` (the CA answered `hresult`), a word of the exit module (`budget`, `limit`, `type`, `cut`,
   * `fault`), or one of the service's own: `malformed`, `text`, `range`, `conflict`, `withheld`,
   * `omitted`.
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
  /** For `type` and `conflict`: the value itself. */
  readonly value?: unknown;
}

/** Collects the problems of one event, those that the exit module recorded first. */
export class Problems {
  readonly list: Problem[];

  constructor(recorded: readonly RecordProblem[] = []) {
    this.list = recorded.flatMap(recordedProblems);
  }

  add(
    property: string,
    reason: string,
    more: Pick<Problem, "detail" | "utf16" | "octets" | "value"> = {},
  ): void {
    // The names of properties and attributes are the CA's or the requester's.
    this.list.push({ property: withoutNul(property), reason, ...more });
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
  const problem = { property, ...reasonOf(reason) };
  if (utf16 === undefined) return [problem];
  return [problem, { property, reason: "text", utf16: utf16.toString("base64") }];
}

function reasonOf(reason: RecordProblem["reason"]): Omit<Problem, "property"> {
  if (typeof reason === "string") return { reason: withoutNul(reason) };
  const hresult = hresultHex(reason);
  const symbol = hresultSymbol(reason);
  return { reason: "error", hresult, ...(symbol !== undefined && { symbol }) };
}
