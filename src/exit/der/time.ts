import { type DerElement, DerError, type DerReader, tags } from "./reader.ts";

/** A UTCTime or GeneralizedTime in UTC as RFC 3339 with whole seconds. */
export function timeText(reader: DerReader, element: DerElement): string {
  const text = reader.bytes.toString("latin1", element.start, element.end);
  if (element.tag === tags.utcTime && /^\d{12}Z$/.test(text)) {
    // RFC 5280 4.1.2.5.1: two-digit years from 50 belong to the twentieth century.
    return formatTime(`${text < "50" ? "20" : "19"}${text}`);
  }
  if (element.tag === tags.generalizedTime && /^\d{14}Z$/.test(text)) return formatTime(text);
  throw new DerError("time is not in the form of RFC 5280");
}

function formatTime(digits: string): string {
  const date = `${digits.slice(0, 4)}-${digits.slice(4, 6)}-${digits.slice(6, 8)}`;
  const time = `${digits.slice(8, 10)}:${digits.slice(10, 12)}:${digits.slice(12, 14)}`;
  const formatted = `${date}T${time}Z`;
  // Date moves 31 February into March; a time that comes back changed does not exist.
  const milliseconds = Date.parse(formatted);
  if (!Number.isFinite(milliseconds) || !sameDay(milliseconds, digits)) {
    throw new DerError("time does not exist");
  }
  return formatted;
}

function sameDay(milliseconds: number, digits: string): boolean {
  return new Date(milliseconds).getUTCDate() === Number(digits.slice(6, 8));
}
