import { z } from "zod";
import { isWithinHours } from "../units.ts";
import { minuteOf, parseHours } from "./hours.ts";

/** How often, at least and at most, in days; and in hours, those that divide a day. */
const mostDays = 31;
const mostFullDays = 366;
const everyPattern = /^(?:([1-9]\d?)d|(1|2|3|4|6|8|12)h)$/;
const hour = 3_600_000;

/** Schema of the section `reconcile`. */
export const reconcileSection = z
  .strictObject({
    every: z
      .string()
      .refine((text) => everyMs(text) !== undefined, {
        error: `must be a number of days up to ${mostDays}d, or 1h, 2h, 3h, 4h, 6h, 8h or 12h`,
      })
      .default("1d")
      .describe(
        "How often: a number of days such as `1d`, or of hours that divide a day, such as `6h`.",
      ),
    at: z
      .string()
      .refine((text) => minuteOf(text) !== undefined, { error: "must be a time such as 02:00" })
      .default("02:00")
      .describe(
        "When, in the local time of the machine; of several times a day one of them. A time that passes while the service does not run is not made up for.",
      ),
    full: z
      .string()
      .refine((text) => text === "never" || fullMs(text) !== undefined, {
        error: `must be a number of days up to ${mostFullDays}d, or never`,
      })
      .default("30d")
      .describe(
        "How often every row is compared, as the first time: a number of days such as `30d`, or `never`. The other comparisons read what has changed, and do not notice that an older row was deleted.",
      ),
    hours: z
      .string()
      .refine(
        (text) => {
          const hours = parseHours(text);
          return hours !== undefined && hours.from !== hours.to;
        },
        { error: "must be two different times such as 22:00-06:00" },
      )
      .optional()
      .describe(
        "When the database may be read, in local time, such as `22:00-06:00`, with `at` in it: times of the schedule outside are left out, and a comparison that takes longer waits until the next day. Default: always.",
      ),
    share: z
      .int()
      .min(1)
      .max(100)
      .default(50)
      .describe("Longest share of the time in which the database is read, in percent."),
    ca: z
      .string()
      .min(1)
      .optional()
      .describe("Sanitized name of the CA. Default: the active one of this machine."),
  })
  .refine(
    ({ at, hours }) => {
      const [minute, range] = [minuteOf(at), hours === undefined ? undefined : parseHours(hours)];
      // What cannot be read has an error of its own.
      if (minute === undefined || range === undefined || range.from === range.to) return true;
      return isWithinHours(range, minute);
    },
    { path: ["hours"], error: "must have the time `at` in it, at which comparisons begin" },
  )
  .describe(
    "Compares the CA's database with the journal on a schedule, and publishes what differs as `reconcile.finding`. Windows only. Without this section the service compares nothing.",
  );

/** The section `reconcile`, read. */
export interface ReconcileOptions {
  /** In ms: whole days, or hours that divide a day. */
  readonly everyMs: number;
  /** Minutes since midnight, local time. */
  readonly atMinute: number;
  /** How often every row is compared, in ms: whole days. Absent: once only. */
  readonly fullMs?: number;
  /** When the database may be read, in minutes since midnight, local time. Default always. */
  readonly hours?: { readonly from: number; readonly to: number };
  /** Longest share of the time for reading, above 0 and at most 1. */
  readonly share: number;
  /** Sanitized name of the CA; absent for the active one. */
  readonly ca?: string;
}

/** Resolves the section `reconcile`, which its schema has accepted. */
export function resolveReconcile({
  every,
  at,
  full,
  hours: hoursText,
  share,
  ca,
}: z.output<typeof reconcileSection>): ReconcileOptions {
  const hours = hoursText === undefined ? undefined : parseHours(hoursText);
  const everyRowMs = fullMs(full);
  return {
    everyMs: everyMs(every) ?? 24 * hour,
    atMinute: minuteOf(at) ?? 0,
    ...(everyRowMs !== undefined && { fullMs: everyRowMs }),
    ...(hours && { hours }),
    share: share / 100,
    ...(ca !== undefined && { ca }),
  };
}

function everyMs(text: string): number | undefined {
  const [, days, hours] = everyPattern.exec(text) ?? [];
  if (hours !== undefined) return Number(hours) * hour;
  return days === undefined || Number(days) > mostDays ? undefined : Number(days) * 24 * hour;
}

function fullMs(text: string): number | undefined {
  const [, days] = /^([1-9]\d{0,2})d$/.exec(text) ?? [];
  return days === undefined || Number(days) > mostFullDays ? undefined : Number(days) * 24 * hour;
}
