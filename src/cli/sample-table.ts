import { inLine } from "./output.ts";

/** One event of a sample at one sink. */
export interface SampleRow {
  readonly kind: string;
  /** Decimal; absent for an event that is about no request. */
  readonly requestId?: string;
  /** Where the event goes; absent for one that the sink does not get. */
  readonly destination?: string;
  /** The option that leaves the event out, such as `except[0]`. */
  readonly leftOutBy?: string;
  /** Bytes of JSON. */
  readonly bytes?: number;
}

/** Width of each column in characters: 80 with the gaps between them. */
const widths = { kind: 21, requestId: 9, destination: 36, bytes: 8 } as const;
const gap = "  ";
const lineWidth = 80;

/** The column headings. */
export const tableHead = lineOf("event", "request", "destination", "bytes");

/** The line above the table of a sink, of at most 80 characters. */
export function headingOf(sink: string, destination: string): string {
  return cut(inLine(`sink ${sink}: ${destination}`), lineWidth);
}

/** An event in one line, or more where its destination is long; each of at most 80 characters. */
export function linesOf({ kind, requestId, destination, leftOutBy, bytes }: SampleRow): string[] {
  const place = destination ?? `left out (${leftOutBy})`;
  const [first = "", ...others] = piecesOf(inLine(place), widths.destination);
  return [
    lineOf(kind, requestId ?? "", first, bytes?.toString() ?? ""),
    ...others.map((piece) => lineOf("", "", piece, "")),
  ];
}

function lineOf(kind: string, requestId: string, destination: string, bytes: string): string {
  const columns = [
    kind.padEnd(widths.kind),
    cut(requestId, widths.requestId).padStart(widths.requestId),
    destination.padEnd(widths.destination),
    bytes.padStart(widths.bytes),
  ];
  return columns.join(gap).trimEnd();
}

/** A text in pieces of at most `width` characters, divided at spaces where there are any. */
function piecesOf(text: string, width: number): string[] {
  const pieces: string[] = [];
  let rest = Array.from(text);
  while (rest.length > width) {
    const space = rest.lastIndexOf(" ", width);
    const end = space > 0 ? space : width;
    pieces.push(rest.slice(0, end).join(""));
    rest = rest.slice(space > 0 ? end + 1 : end);
  }
  return [...pieces, rest.join("")];
}

function cut(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text;
}
