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
  return isoText(unixMsOf(bounded));
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
  return ms === undefined ? undefined : isoText(ms);
}

/** Days of which the text is kept, each at its number modulo this. */
const keptDays = 64;
const dayTexts: { readonly day: number; readonly text: string }[] = [];

/** Numbers below 100 in two digits, which all parts of a time are made of. */
const twoDigits = Array.from({ length: 100 }, (_, number) => String(number).padStart(2, "0"));

/** As `toISOString` of a Date. Half of the times of an event are of a day that was written before. */
function isoText(ms: number): string {
  const day = Math.floor(ms / msPerDay);
  const at = ((day % keptDays) + keptDays) % keptDays;
  let kept = dayTexts[at];
  if (kept?.day !== day) {
    kept = { day, text: new Date(day * msPerDay).toISOString().slice(0, -"00:00:00.000Z".length) };
    dayTexts[at] = kept;
  }
  const inDay = ms - day * msPerDay;
  const seconds = Math.floor(inDay / 1000);
  const minutes = Math.floor(seconds / 60);
  const fraction = String(inDay - seconds * 1000).padStart(3, "0");
  const [hour, minute] = [twoDigits[Math.floor(minutes / 60)], twoDigits[minutes % 60]];
  return `${kept.text}${hour}:${minute}:${twoDigits[seconds % 60]}.${fraction}Z`;
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
