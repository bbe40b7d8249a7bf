import type { Status } from "../../health/status.ts";

/** Time over which rates are measured, in ms: sinks write a checkpoint only now and then. */
const windowMs = 15_000;

/** Records a second; `undefined` while that is not known. */
export interface Rates {
  /** Into the journal. */
  readonly recorded: number | undefined;
  /** Acknowledged, by the name of the sink. */
  readonly acknowledged: ReadonlyMap<string, number | undefined>;
}

interface Place {
  readonly epochId?: string | undefined;
  readonly sequence?: string | undefined;
}

/** Measures rates from the places that one status after the other shows. */
export class RateMeter {
  #seen: Status[] = [];

  /** Takes the next status. */
  take(status: Status): void {
    const at = Date.parse(status.time);
    // One from before the window stays, so that the window is full.
    const age = ({ time }: Status): number => at - Date.parse(time);
    // None from the future: the clock may have been set back.
    const past = this.#seen.filter((each) => age(each) >= 0);
    const inWindow = past.filter((each) => age(each) < windowMs);
    const before = past.filter((each) => age(each) >= windowMs).slice(-1);
    this.#seen = [...before, ...inWindow, status];
  }

  get rates(): Rates {
    const [first, last] = [this.#seen[0], this.#seen.at(-1)];
    if (first === undefined || last === undefined) {
      return { recorded: undefined, acknowledged: new Map() };
    }
    const seconds = (Date.parse(last.time) - Date.parse(first.time)) / 1000;
    const rate = (from: Place | undefined, to: Place | undefined): number | undefined => {
      const records = recordsBetween(from, to);
      return records === undefined || seconds <= 0 ? undefined : records / seconds;
    };
    const acknowledged = last.sinks.map(({ name, checkpoint }) => {
      const before = first.sinks.find((each) => each.name === name)?.checkpoint;
      return [name, rate(before, checkpoint)] as const;
    });
    return {
      recorded: rate(first.journal?.newest, last.journal?.newest),
      acknowledged: new Map(acknowledged),
    };
  }
}

/** `undefined` where one of the places is not known, or the CA started a new epoch in between. */
function recordsBetween(from: Place | undefined, to: Place | undefined): number | undefined {
  if (from?.sequence === undefined || to?.sequence === undefined) return undefined;
  if (from.epochId !== to.epochId) return undefined;
  return Math.max(0, Number(BigInt(to.sequence) - BigInt(from.sequence)));
}
