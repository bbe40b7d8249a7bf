import { throttled } from "./faults.ts";
import { oldestUndelivered } from "./invariants.ts";
import { worksAgainMs } from "./limits.ts";
import type { Pace, SinkName } from "./scenario.ts";
import type { World } from "./world.ts";

/** For how long a writer without space may go on dropping records while the service can make space, in ms. */
const makesSpaceMs = 40 * 60_000;

/** What slows a sink, or makes its events smaller, but does not stop it. */
const harmless: ReadonlySet<string> = new Set([
  throttled,
  "rabbitmq channels",
  "rabbitmq limit",
  "kafka limit",
]);

/** How things stand in a simulation. */
export interface Course {
  readonly world: World;
  readonly pace: Pace;
  /** Those of the configuration now. */
  readonly sinks: readonly SinkName[];
  /** What is wrong now; the first word is what it concerns. */
  readonly wrong: readonly string[];
  /** Since when nothing is wrong any more with what was, in ms of virtual time. */
  readonly worksSince: ReadonlyMap<string, number>;
}

/** What takes longer than it may; `undefined` if nothing does. */
export function findDelay(course: Course): string | undefined {
  return lateSink(course) ?? stoppedWriter(course);
}

/** A sink whose destination works is not behind, whatever is wrong with another. */
function lateSink({ world, pace, sinks, wrong, worksSince }: Course): string | undefined {
  const { scheduler, journal } = world;
  if (wrong.some((what) => /^(disk|late|journal)/.test(what))) return undefined;
  const workedSince = (...subjects: string[]): number =>
    Math.max(...subjects.map((what) => worksSince.get(what) ?? 0));
  for (const sink of sinks) {
    if (wrong.some((what) => what.startsWith(sink) && !harmless.has(what))) continue;
    const since = workedSince("disk", "late", "journal", "start", sink);
    if (scheduler.now - since < worksAgainMs[pace]) continue;
    const oldest = oldestUndelivered(sink, world);
    if (oldest === undefined || scheduler.now - oldest.writtenAt < worksAgainMs[pace]) continue;
    if (sink === "kafka" && wrong.includes(throttled)) {
      const late = stillSink(world, Math.max(since, oldest.writtenAt), worksAgainMs[pace]);
      if (late !== undefined) return late;
      continue;
    }
    const behindS = Math.round((scheduler.now - oldest.writtenAt) / 1000);
    return `${sink} works, and record ${oldest.ordinal} of ${journal.records.length} has waited for ${behindS} s`;
  }
  return undefined;
}

/** A sink whose events wait since a time, and which is throttled, stores some as often as its quota lets it. */
function stillSink({ scheduler, kafka }: World, since: number, atMostMs: number) {
  const newest = kafka.stored.at(-1)?.at ?? 0;
  const stillMs = scheduler.now - Math.max(newest, since);
  if (stillMs < atMostMs + kafka.longestThrottleMs) return undefined;
  return `kafka is throttled, and has stored nothing for ${Math.round(stillMs / 1000)} s`;
}

/** While the sinks keep up, the service makes space for the writer. */
function stoppedWriter({ world, sinks, wrong, worksSince }: Course): string | undefined {
  const { dropping } = world.journal;
  if (dropping === undefined || wrong.some((what) => !what.startsWith("volume"))) return undefined;
  const since = Math.max(dropping.since, ...worksSince.values());
  if (dropping.newest - since < makesSpaceMs) return undefined;
  const isBehind = sinks.some((sink) => {
    const { writtenAt = Infinity } = oldestUndelivered(sink, world) ?? {};
    return writtenAt < since;
  });
  if (isBehind) return undefined;
  const minutes = Math.round((dropping.newest - since) / 60_000);
  return `the exit module has had no space for ${minutes} minutes although every sink keeps up`;
}
