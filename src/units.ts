/** 2^10 bytes. */
export const kibibyte = 1024;

/** 2^20 bytes. */
export const mebibyte = 1024 * kibibyte;

/** A number of bytes in the largest binary unit that keeps it at 1 or more, such as `1.2 GiB`. */
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

/** Units of time, the largest first, and each in ms. */
const units = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1000],
] as const;

/**
 * A duration in its largest units, such as `3 h 20 min`; below 10 s with one decimal at most, such as `3.5 s`, and below a
 * second with three digits, such as `1.23 ms`. One that is negative counts as 0 s. `most`: how many units are named, default 2.
 */
export function formatDuration(ms: number, most = 2): string {
  if (ms <= 0) return "0 s";
  // Before the unit is chosen: 999.6 ms are 1 s.
  let restMs = ms < 1000 ? Number(ms.toPrecision(3)) : ms;
  if (restMs < 1) return `${Number((restMs * 1000).toPrecision(3))} µs`;
  if (restMs >= 1000 && restMs < 10_000) return `${Math.floor(restMs / 100) / 10} s`;
  const at = units.findIndex(([, unitMs]) => restMs >= unitMs);
  if (at < 0) return `${restMs} ms`;
  const parts = units.slice(at, at + most).map(([unit, unitMs]) => {
    const count = Math.floor(restMs / unitMs);
    restMs -= count * unitMs;
    return { count, text: `${count} ${unit}` };
  });
  return parts
    .filter(({ count }) => count > 0)
    .map(({ text }) => text)
    .join(" ");
}

/** A number of things, such as `1 hole` and `2 holes`. `shown`: how the number is written, default its digits. */
export function countOf(count: number, thing: string, shown: (count: number) => string = String) {
  return `${shown(count)} ${thing}${count === 1 ? "" : "s"}`;
}

/** True for a minute of the day in these hours, in minutes since midnight too: `to` is not included, and may be on the next day. */
export function isWithinHours(
  { from, to }: { readonly from: number; readonly to: number },
  minute: number,
): boolean {
  return from <= to ? minute >= from && minute < to : minute >= from || minute < to;
}
