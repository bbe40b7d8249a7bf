/** How much of the CA's time reading its database may take. */
export interface LoadLimits {
  /** Share of the time in which a view may be open, above 0 and at most 1. Default 0.5. */
  readonly share?: number;
  /** When views may be opened. Default always. */
  readonly hours?: Hours;
}

/** A time of each day, in minutes since midnight, local time; from 22:00 to 06:00 it goes on past midnight. */
export interface Hours {
  readonly from: number;
  /** Not included. */
  readonly to: number;
}

/** The least pause between two views, in ms. */
const leastPauseMs = 250;
const minutesPerDay = 1440;

/** How long to wait after a view that took `viewMs` with its opening, in ms. */
export function pauseAfter(viewMs: number, share = 0.5): number {
  return Math.max(leastPauseMs, Math.round((viewMs * (1 - share)) / share));
}

/** How long it is until a view may be opened, in ms; 0 if it may be opened now. */
export function msUntil({ from, to }: Hours, now: Date): number {
  const minute = now.getHours() * 60 + now.getMinutes();
  const sinceFrom = (minute - from + minutesPerDay) % minutesPerDay;
  const length = (to - from + minutesPerDay) % minutesPerDay;
  if (length === 0 || sinceFrom < length) return 0;
  return (minutesPerDay - sinceFrom) * 60_000 - now.getSeconds() * 1000;
}
