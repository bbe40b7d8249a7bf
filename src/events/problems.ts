import type { RecordProblem } from "../exit/record.ts";
import type { DerProblem } from "../x509/certificate.ts";
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
  /** For `text`: the UTF-16LE code units in base64. */
  readonly utf16?: string;
  /** For `type` and `conflict`: the value itself. */
  readonly value?: unknown;
}

/** Collects the problems of one event, those that the exit module recorded first. */
export class Problems {
  readonly list: Problem[];

  constructor(recorded: readonly RecordProblem[] = []) {
    this.list = recorded.map(recordedProblem);
  }

  add(
    property: string,
    reason: string,
    more: Pick<Problem, "detail" | "utf16" | "value"> = {},
  ): void {
    this.list.push({ property, reason, ...more });
  }
}

/** Adds the parts of a DER value that could not be read; `place` is its path in the event's `data`. */
export function addDerProblems(
  problems: Problems,
  place: string,
  found: readonly DerProblem[],
): void {
  for (const { part, reason } of found) {
    problems.add(`${place}.${part}`, "malformed", { detail: reason });
  }
}

function recordedProblem({ name, reason }: RecordProblem): Problem {
  if (typeof reason === "string") return { property: name, reason };
  const hresult = hresultHex(reason);
  const symbol = hresultSymbol(reason);
  const problem = { property: name, reason: "error", hresult };
  return symbol === undefined ? problem : { ...problem, symbol };
}
