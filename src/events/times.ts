const filetimeOfUnixEpoch = 116_444_736_000_000_000n;
const latestFiletime = 2_650_467_743_999_999_999n;
const oleDateOfUnixEpoch = 25_569;
const msPerDay = 86_400_000;
const latestMs = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** A FILETIME (100 ns since 1601-01-01 UTC) as RFC 3339 with 7 fractional digits, at most the year 9999. */
export function filetimeText(filetime: bigint): string {
  const bounded = filetime > latestFiletime ? latestFiletime : filetime;
  const ticks = bounded - filetimeOfUnixEpoch;
  // Round towards minus infinity, so that times before 1970 have a positive fraction.
  const fraction = ((ticks % 10_000n) + 10_000n) % 10_000n;
  const ms = Number((ticks - fraction) / 10_000n);
  return `${new Date(ms).toISOString().slice(0, -1)}${fraction.toString().padStart(4, "0")}Z`;
}

/**
 * An OLE automation date (UTC, 8 bytes) as RFC 3339 with milliseconds, the precision that the CA uses;
 * `undefined` if it is not a date from year 100 to 9999.
 */
export function oleDateText(oleDate: Buffer): string | undefined {
  const days = oleDate.readDoubleLE();
  // The fraction of a negative date counts forwards from its whole day.
  const whole = Math.trunc(days);
  const fraction = Math.abs(days - whole);
  const ms = (whole - oleDateOfUnixEpoch) * msPerDay + Math.round(fraction * msPerDay);
  if (!(days >= -657_434 && days < 2_958_466)) return undefined;
  // The last half millisecond of the year 9999 would round up to a year of five digits.
  return new Date(Math.min(ms, latestMs)).toISOString();
}
