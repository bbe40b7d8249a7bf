import type { Hole } from "../../src/consumer/completeness/report.ts";
import type { CertwireEvent } from "../../src/events/event.ts";
import type { JournalTruth, TrueEpoch, TrueGap } from "./journal-truth.ts";

/** What came of the events of a journal. */
export interface Arrived {
  /** Events that arrived at all. */
  readonly any: ReadonlySet<CertwireEvent>;
  /** Events of which a copy arrived that is not a replay. */
  readonly live: ReadonlySet<CertwireEvent>;
}

/**
 * What must be reported as missing, one text for each number: found from the whole truth number by number, without any
 * range. `=` after a number: a gap event accounts for it; `s` for one that may be a seal.
 */
export function missingOf(truth: JournalTruth, { any, live }: Arrived): string[] {
  const order = truth.events;
  const first = order.find((event) => live.has(event)) ?? order.find((event) => any.has(event));
  if (first === undefined) return [];
  const visible = truth.epochs.filter((epoch) => eventsOf(epoch).some((event) => any.has(event)));
  const start = visible.findIndex((epoch) => eventsOf(epoch).includes(first));
  const startSequence = Math.min(
    ...eventsOf(visible[start] as TrueEpoch)
      .filter((event) => (live.size > 0 ? live : any).has(event))
      .map(sequenceOf),
  );
  return visible.slice(start).flatMap((epoch, at, epochs) => {
    const isNewest = at === epochs.length - 1;
    const within = missingIn(epoch, at === 0 ? startSequence : 2, any);
    const before = at === 0 ? [] : missingBefore(epoch, visible.slice(0, start + at), any);
    return [
      ...before,
      ...within,
      ...(isNewest || isEnded(epoch, any) ? [] : [`${epoch.number}:end`]),
    ];
  });
}

/** Number of an event's record. */
export function sequenceOf({ id }: CertwireEvent): number {
  return Number(id.split("-")[1]);
}

/** The holes of a report in the form of `missingOf`. */
export function textsOf(holes: readonly Hole[]): string[] {
  return holes.flatMap((hole) => {
    const mark = hole.accountedBy === undefined ? "" : "=";
    if (hole.kind === "end") return [`${hole.epochNumber}:end`];
    if (hole.kind === "events")
      return [`${hole.epochNumber}:${hole.sequence}:${hole.indexes.join()}`];
    const numbers = Array.from({ length: hole.to - hole.from + 1 }, (_, at) => hole.from + at);
    if (hole.kind === "epochs") return numbers.map((number) => `epoch ${number}${mark}`);
    return numbers.map((number) => `${hole.epochNumber}:${number}${mark}`);
  });
}

function eventsOf({ records, gaps }: TrueEpoch): CertwireEvent[] {
  return [...records.flatMap(({ events }) => events), ...gaps.map(({ event }) => event)];
}

function missingBefore(
  { number }: TrueEpoch,
  earlier: readonly TrueEpoch[],
  any: Arrived["any"],
): string[] {
  const nearest = earlier.at(-1);
  const isReported = nearest?.gaps.some(({ event, to }) => {
    return (
      any.has(event) && to === Number.POSITIVE_INFINITY && event.data["reason"] !== "unclean-stop"
    );
  });
  const missing: string[] = [];
  for (let each = (nearest?.number ?? 0) + 1; each < number; each += 1) {
    missing.push(`epoch ${each}${isReported ? "=" : ""}`);
  }
  return missing;
}

function isEnded({ stopped, gaps }: TrueEpoch, any: Arrived["any"]): boolean {
  const isOpen = ({ event, to }: TrueGap): boolean =>
    any.has(event) && to === Number.POSITIVE_INFINITY;
  return (stopped !== undefined && any.has(stopped)) || gaps.some(isOpen);
}

function missingIn(epoch: TrueEpoch, from: number, any: Arrived["any"]): string[] {
  const gaps = epoch.gaps.filter(({ event }) => any.has(event));
  const known = [
    ...epoch.records
      .filter(({ events }) => events.some((event) => any.has(event)))
      .map((r) => r.sequence),
    ...gaps.map(({ from: first, to }) => (Number.isFinite(to) ? to : first - 1)),
  ];
  const last = Math.max(...known);
  const isLost = (sequence: number): boolean => {
    if (sequence < Math.max(from, 2) || sequence > last) return false;
    const record = epoch.records.find((each) => each.sequence === sequence);
    const isThere = record?.main.some((event) => any.has(event)) ?? false;
    return !isThere && !gaps.some((gap) => gap.from <= sequence && sequence <= gap.to);
  };
  const stop = epoch.stopped && any.has(epoch.stopped) ? sequenceOf(epoch.stopped) : undefined;
  const missing: string[] = [];
  for (let sequence = Math.max(from, 2); sequence <= last; sequence += 1) {
    const main = epoch.records.find((each) => each.sequence === sequence)?.main ?? [];
    const absent = main.filter((event) => !any.has(event));
    if (main.length > 0 && absent.length === 0) continue;
    const place = `${epoch.number}:${sequence}`;
    if (absent.length < main.length) {
      missing.push(`${place}:${absent.map(({ id }) => id.split("-")[2]).join()}`);
    } else if (!isLost(sequence)) {
      missing.push(`${place}=`);
    } else {
      const isAlone = !isLost(sequence - 1) && !isLost(sequence + 1);
      if (stop === undefined || sequence < stop || !isAlone) missing.push(place);
    }
  }
  return missing;
}
