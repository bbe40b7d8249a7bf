import { type DerElement, DerError, type DerReader, tags } from "./reader.ts";

/** A UTCTime or GeneralizedTime as RFC 3339 in UTC, whole seconds. Throws `DerError` for any other form. */
export function timeText(reader: DerReader, element: DerElement): string {
  const text = reader.bytes.toString("latin1", element.start, element.end);
  if (element.tag === tags.utcTime && /^\d{12}Z$/.test(text)) {
    // RFC 5280 4.1.2.5.1: two-digit years from 50 to 99 are in the twentieth century.
    return formatTime(text < "50" ? `20${text}` : `19${text}`);
  }
  if (element.tag === tags.generalizedTime && /^\d{14}Z$/.test(text)) return formatTime(text);
  throw new DerError("time is not in the form of RFC 5280");
}

function formatTime(digits: string): string {
  const part = (start: number, end: number) => digits.slice(start, end);
  const [year, month, day] = [part(0, 4), part(4, 6), part(6, 8)];
  const [hour, minute, second] = [part(8, 10), part(10, 12), part(12, 14)];
  const exists =
    hour < "24" &&
    minute < "60" &&
    second < "60" &&
    day > "00" &&
    Number(day) <= daysOf(Number(year), Number(month));
  if (!exists) throw new DerError("time does not exist");
  return `${year}-${month}-${day}T${hour}:${minute}:${second}Z`;
}

/** Days of a month (1 to 12) in the Gregorian calendar; 0 for a month that does not exist. */
function daysOf(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  if (month < 1 || month > 12) return 0;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}
