import type { RecordProblem } from "../exit/record.ts";
import type { DerProblem } from "../x509/certificate.ts";
import { hresultHex, hresultSymbol } from "./words/hresult.ts";

/** Something that an event could not say, or says differently from the CA. */
export interface Problem {
  /** Group and name as in the record (`request.StatusCode`), or a place in the event's data. */
  readonly property: string;
  /**
   * `error` (the CA answered `hresult`), a word of the exit module (`budget`, `limit`, `type`, `cut`,
   * `fault`), or one of the service's own: `malformed`, `text`, `range`, `conflict`, `withheld`,
   * `omitted`.
   */
  readonly reason: string;
  readonly hresult?: string;
  readonly symbol?: string;
  readonly detail?: string;
  /** Of `text`: the UTF-16LE code units in base64. */
  readonly utf16?: string;
  /** Of `type` and `conflict`: the value itself. */
  readonly value?: unknown;
}

/** Problems of one event, in the order of finding. */
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

/** Names what could not be read of a DER value at `place` in the event's data. */
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
