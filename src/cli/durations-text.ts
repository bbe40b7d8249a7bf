import type { Status } from "../health/status.ts";
import { countOf, formatDuration } from "../units.ts";

type Durations = NonNullable<NonNullable<Status["journal"]>["durations"]>["append"];

/** Durations in one line, such as `1203 times, p50 12.3 µs, p99 81.9 µs, p99.9 410 µs, max 2.1 ms`. */
export function durationsText({ count, ...durations }: Durations): string {
  if (count === 0) return "not measured";
  const { p50Us, p99Us, p999Us, maxUs } = durations;
  const named = Object.entries({ p50: p50Us, p99: p99Us, "p99.9": p999Us, max: maxUs });
  const texts = named.map(([name, us = 0]) => `${name} ${formatDuration(us / 1000)}`);
  return [countOf(count, "time"), ...texts].join(", ");
}
