const filetimeOfUnixEpoch = 116_444_736_000_000_000n;
const latestFiletime = 2_650_467_743_999_999_999n;
const oleDateOfUnixEpoch = 25_569;
const msPerDay = 86_400_000;
const latestMs = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/**
 * A FILETIME (100 ns since 1601-01-01 UTC) as RFC 3339 with milliseconds, cut off, at most the year 9999. More digits
 * get lost on the way: the JavaScript SDK of CloudEvents keeps 3, that of Python 6, and that of PHP refuses 7.
 */
export function filetimeText(filetime: bigint): string {
  const bounded = filetime > latestFiletime ? latestFiletime : filetime;
  return new Date(unixMsOf(bounded)).toISOString();
}

/** The FILETIME of a time in whole milliseconds since 1970. */
export function filetimeOf(unixMs: number): bigint {
  return BigInt(unixMs) * 10_000n + filetimeOfUnixEpoch;
}

/** A FILETIME in whole milliseconds since 1970, cut off. */
export function unixMsOf(filetime: bigint): number {
  // Whole milliseconds since 1601: nothing before that is cut off towards zero.
  return Number(filetime / 10_000n) - Number(filetimeOfUnixEpoch / 10_000n);
}

/**
 * An OLE automation date (UTC, 8 bytes) as RFC 3339 with milliseconds, the precision that the CA uses;
 * `undefined` if it is not a date from year 100 to 9999.
 */
export function oleDateText(oleDate: Buffer): string | undefined {
  const ms = oleDateMs(oleDate);
  return ms === undefined ? undefined : new Date(ms).toISOString();
}

/** An OLE automation date in ms since 1970, rounded; `undefined` if it is not a date from year 100 to 9999. */
export function oleDateMs(oleDate: Buffer): number | undefined {
  const days = oleDate.readDoubleLE();
  // The fraction of a negative date counts forwards from its whole day.
  const whole = Math.trunc(days);
  const fraction = Math.abs(days - whole);
  const ms = (whole - oleDateOfUnixEpoch) * msPerDay + Math.round(fraction * msPerDay);
  if (!(days >= -657_434 && days < 2_958_466)) return undefined;
  // The last half millisecond of the year 9999 would round up to a year of five digits.
  return Math.min(ms, latestMs);
}
