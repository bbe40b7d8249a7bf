import type { Status } from "../../src/health/status.ts";
import { checkpointedUntil, type Letter, lettersOf, oldestUndelivered } from "./invariants.ts";
import type { Scenario, SinkName } from "./scenario.ts";
import type { ServiceProcess } from "./service-process.ts";
import { nameOf, timeOfDay, type World } from "./world.ts";

type Reasons = Status["reasons"];

/** Reasons of the health that are not why the events of a sink wait. */
const besides: ReadonlySet<string> = new Set([
  "checkpoint-unwritable",
  "dead-letters",
  "gap-seen",
  "kind-dead-lettered",
  "routed-kinds-unwritable",
]);

/** Reasons of the health that are not why the checkpoint of a sink stays. */
const ofLetters: ReadonlySet<string> = new Set(["dead-letters", "kind-dead-lettered"]);

/** For so long after a dead letter the health names it, in ms: a minute less than it says, and not before it can. */
const letterMs = { from: 5000, to: 9 * 60_000 };

/** That events of a sink wait and the health does not say why; `undefined` if it does, or none wait. */
export function unexplainedWait(
  waiting: readonly SinkName[],
  reasons: Reasons,
  world: World,
): string | undefined {
  const sink = waiting.find(
    (each) =>
      oldestUndelivered(each, world) !== undefined &&
      !reasons.some(
        (reason) =>
          (reason.sink === nameOf(each, world) && !besides.has(reason.code)) ||
          reason.code.endsWith("unreadable"),
      ),
  );
  if (sink === undefined) return undefined;
  return `the events of ${sink} wait, and the health says only: ${codesOf(reasons)}`;
}

function codesOf(reasons: Reasons): string {
  return reasons.map(({ code }) => code).join(", ") || "nothing";
}

/** A reason that the health still names once nothing has been wrong for a while; `undefined` if all of them may last. */
export function outlived(
  reasons: Reasons,
  { steps }: Scenario,
  world: World,
): Reasons[number] | undefined {
  const { gaps, writerGaps } = world.journal;
  const hasClockChanged = steps.some(({ action }) => action.do === "set-clock");
  return reasons.find(({ code, sink }) => {
    switch (code) {
      case "dead-letters":
      case "kind-dead-lettered":
        return sink === undefined || lettersOf(sink, world).size === 0;
      case "gap-seen":
        return gaps.size === 0 && writerGaps.length === 0;
      case "clock-behind":
        return !hasClockChanged;
      default:
        return true;
    }
  });
}

/** What a sink had done at a time, in ms of virtual time: every record before an ordinal was delivered. */
interface Sample {
  readonly at: number;
  readonly ordinal: number;
}

/** What the health of a service has to name although no event waits. */
export class NamedTroubles {
  readonly #world: World;
  /** How long a checkpoint may take, in ms. */
  readonly #longestMs: number;
  readonly #samples = new Map<SinkName, Sample[]>();
  readonly #known = new Set<Letter>();
  #service: ServiceProcess | undefined;
  #since = 0;

  constructor(world: World, longestMs: number) {
    this.#world = world;
    this.#longestMs = longestMs;
  }

  /** Takes note of how far the sinks are. Returns what the health has to name now, by sink. */
  notice(service: ServiceProcess | undefined, sinks: readonly SinkName[]): Named[] {
    if (this.#service !== service) {
      this.#service = service;
      this.#since = this.#world.scheduler.now;
      this.#samples.clear();
    }
    return sinks.flatMap((sink) => [...this.#staying(sink), ...this.#letters(sink)]);
  }

  /** A checkpoint that is behind what was delivered long ago. */
  #staying(sink: SinkName): Named[] {
    const { scheduler, journal } = this.#world;
    const samples = this.#samples.get(sink) ?? [];
    this.#samples.set(sink, samples);
    const ordinal = oldestUndelivered(sink, this.#world)?.ordinal ?? journal.records.length;
    samples.push({ at: scheduler.now, ordinal });
    const old = samples.findLastIndex(({ at }) => at <= scheduler.now - this.#longestMs);
    if (old === -1) return [];
    samples.splice(0, old);
    const needed = samples[0]?.ordinal ?? 0;
    const isOver = (): boolean => checkpointedUntil(sink, this.#world) >= needed;
    if (isOver()) return [];
    const what = `the checkpoint of ${sink} stays before record ${needed}`;
    const explains = (code: string): boolean => !ofLetters.has(code);
    return [{ what, isOver, isNamed: (reasons) => this.#names(reasons, sink, explains) }];
  }

  /** Dead letters that were written since the last time. */
  #letters(sink: SinkName): Named[] {
    const fresh: Letter[] = [];
    for (const letter of lettersOf(sink, this.#world).values()) {
      if (this.#known.has(letter)) continue;
      const ageMs = timeOfDay(this.#world) - Date.parse(letter.time);
      if (ageMs >= 0 && ageMs < letterMs.from) continue;
      this.#known.add(letter);
      const isOfService = this.#world.scheduler.now - ageMs > this.#since;
      if (ageMs >= 0 && ageMs < letterMs.to && isOfService) fresh.push(letter);
    }
    if (fresh.length === 0) return [];
    const what = `${sink} has dead letters`;
    const says = (code: string): boolean => code === "dead-letters";
    const isNamed = (reasons: Reasons): boolean => this.#names(reasons, sink, says);
    return [{ what, isOver: () => false, isNamed }];
  }

  #names(reasons: Reasons, sink: SinkName, is: (code: string) => boolean): boolean {
    return reasons.some((reason) => reason.sink === nameOf(sink, this.#world) && is(reason.code));
  }
}

/** Something that the health has to name. */
export interface Named {
  readonly what: string;
  /** True once it is so no more. */
  readonly isOver: () => boolean;
  readonly isNamed: (reasons: Reasons) => boolean;
}

/** What the health does not name; `undefined` if it names all. */
export function unnamed(expected: readonly Named[], reasons: Reasons): string | undefined {
  const missing = expected.find(({ isNamed, isOver }) => !isOver() && !isNamed(reasons));
  return missing && `${missing.what}, and the health says only: ${codesOf(reasons)}`;
}
