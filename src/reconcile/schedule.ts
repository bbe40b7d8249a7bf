import type { Hours } from "../ca-database/load.ts";
import { isWithinHours } from "../units.ts";

/** When comparisons begin: all of it in the local time of the machine. */
export interface Schedule {
  /** Whole days, or hours that divide a day, in ms. */
  readonly everyMs: number;
  /** One of the times of a day, in minutes since midnight. */
  readonly atMinute: number;
  /** When the database may be read, with `atMinute` in it: other times are left out. Default always. */
  readonly hours?: Hours;
}

const minute = 60_000;
const minutesPerDay = 1440;
/** Today, tomorrow, and another day if summer time leaves out all of the hours of one. */
const mostDays = 4;

/**
 * The first time of a schedule after another time; both in ms since 1970. `lastMs`: when the last complete comparison began;
 * one of every third day, for instance, begins three days after it, or at the next time if it is overdue. One that began
 * later than now, by a clock that was ahead, does not count. Infinity if there is no such date.
 */
export function nextTime(
  { everyMs, atMinute, hours }: Schedule,
  afterMs: number,
  lastMs?: number,
): number {
  const every = everyMs / minute;
  const days = every / minutesPerDay;
  if (days > 1 && lastMs !== undefined && lastMs <= afterMs) {
    const due = atOf(lastMs, days, atMinute);
    if (due > afterMs) return due;
  }
  const step = Math.min(every, minutesPerDay);
  for (let at = atMinute % step; at < mostDays * minutesPerDay; at += step) {
    const time = atOf(afterMs, 0, at);
    if (time > afterMs && isIn(hours, time)) return time;
  }
  return Number.POSITIVE_INFINITY;
}

/** From when on the comparison after one that began at `lastMs` is overdue: after its second time, in ms since 1970. */
export function overdueAfter(schedule: Schedule, lastMs: number): number {
  const next = nextTime(schedule, lastMs, lastMs);
  return Math.max(lastMs + 2 * schedule.everyMs, nextTime(schedule, next, next));
}

function isIn(hours: Hours | undefined, ms: number): boolean {
  const time = new Date(ms);
  return hours === undefined || isWithinHours(hours, time.getHours() * 60 + time.getMinutes());
}

/** A local time of a later day, in ms since 1970. One that summer time leaves out is an hour later. */
function atOf(ms: number, daysLater: number, minutes: number): number {
  const day = new Date(ms);
  const date = [day.getFullYear(), day.getMonth(), day.getDate() + daysLater] as const;
  return new Date(...date, 0, minutes).getTime();
}
