import { type DerElement, DerError, type DerReader, tags } from "./reader.ts";

const msPerMinute = 60_000;

/**
 * A UTCTime or GeneralizedTime as RFC 3339 in UTC, whole seconds. One with an offset instead of the Z that
 * RFC 5280 demands is converted. Throws `DerError` for any other form.
 */
export function timeText(reader: DerReader, element: DerElement): string {
  const text = reader.bytes.toString("latin1", element.start, element.end);
  const digits = element.tag === tags.utcTime ? 12 : element.tag === tags.generalizedTime ? 14 : 0;
  const found = /^(\d+)(Z|[+-]\d{4})$/.exec(text);
  const [, local = "", zone = ""] = found ?? [];
  if (digits === 0 || local.length !== digits) {
    throw new DerError("time is not in the form of RFC 5280");
  }
  // RFC 5280 4.1.2.5.1: two-digit years from 50 to 99 are in the twentieth century.
  const century = digits === 14 ? "" : local < "50" ? "20" : "19";
  return inUtc(formatTime(`${century}${local}`), zone);
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

/** `local` (RFC 3339 with a Z) minus the offset that `zone` says. */
function inUtc(local: string, zone: string): string {
  if (zone === "Z") return local;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(3))];
  if (hours > 23 || minutes > 59) throw new DerError("time has an offset that does not exist");
  const offset = (hours * 60 + minutes) * (zone.startsWith("-") ? -msPerMinute : msPerMinute);
  const text = new Date(Date.parse(local) - offset).toISOString();
  // Years outside 0 to 9999 have a sign and six digits there.
  if (!/^\d/.test(text)) throw new DerError("time is outside the years 0 to 9999");
  return `${text.slice(0, 19)}Z`;
}
