import { printable } from "../errors/printable.ts";
import type { CertwireEvent } from "../events/event.ts";
import { kindOf } from "../events/event-kind.ts";
import { requestIdOf } from "../events/selection.ts";
import { shownTemplate } from "../events/shown-template.ts";

/** An event as a line of the live view. */
export interface EventRow {
  /** UTC, `08:00:00.250`. */
  readonly time: string;
  readonly kind: string;
  readonly requestId: string;
  /** Subject, requester, or what else the event is about. */
  readonly about: string;
  /** As `shownTemplate`. */
  readonly template: string;
  readonly serialNumber: string;
  /** Time since the CA called the exit module, such as `12 ms`; absent where nobody waits for events. */
  readonly age?: string;
}

type Group = Readonly<Record<string, unknown>>;

/** Picks what a person wants to see at a glance; what an event does not have is an empty text. */
export function eventRow(event: CertwireEvent): EventRow {
  const { data } = event;
  const [request, certificate] = [group(data["request"]), group(data["certificate"])];
  const properties = group(data["certificateProperties"]);
  return {
    time: event.time.slice(11, 23),
    kind: kindOf(event),
    requestId: requestIdOf(event) ?? "",
    about: about(event, request, certificate),
    template:
      shownTemplate(templateOf(certificate, properties), attribute(data, "CertificateTemplate")) ??
      "",
    serialNumber: text(certificate["serialNumber"]),
  };
}

function templateOf(certificate: Group, properties: Group): string {
  const { name, oid } = group(certificate["template"]);
  return text(properties["certificateTemplate"]) || text(name) || text(oid);
}

function about({ data, subject = "" }: CertwireEvent, request: Group, certificate: Group): string {
  const crl = data["crl"];
  if (crl) {
    const { kind, number, entryCount } = group(crl);
    const count = entryCount === undefined ? "" : `, ${text(entryCount)} entries`;
    return `${text(kind)} CRL ${text(number)}${count}`;
  }
  if (data["reason"]) return text(data["reason"]);
  if (data["class"]) return `${text(data["state"])}: ${text(data["class"])}  ${subject}`;
  const name = text(group(certificate["subject"])["distinguishedName"]);
  const requester = text(request["requesterName"]);
  return (
    [name.split(/(?<!\\),/, 1)[0], requester].filter(Boolean).join("  ") ||
    text(group(data["ca"])["name"]) ||
    subject
  );
}

function group(value: unknown): Group {
  return typeof value === "object" && value !== null ? (value as Group) : {};
}

function text(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

function attribute(data: Group, name: string): string | undefined {
  const attributes = Array.isArray(data["attributes"]) ? data["attributes"] : [];
  const found = attributes.map(group).find((each) => each["name"] === name);
  return found && text(found["value"]);
}

/** A column of the live view. */
interface Column {
  readonly name: keyof EventRow;
  readonly heading: string;
  /** In characters; `about` has at least these, and the rest of the line. */
  readonly width: number;
  readonly isRight?: true;
}

const columns: readonly Column[] = [
  { name: "time", heading: "time (UTC)", width: 12 },
  { name: "kind", heading: "event", width: 21 },
  { name: "requestId", heading: "request", width: 7, isRight: true },
  { name: "age", heading: "age", width: 6, isRight: true },
  { name: "about", heading: "subject, requester", width: 20 },
  { name: "template", heading: "template, *requested", width: 20 },
  { name: "serialNumber", heading: "serial number", width: 14 },
];
const gap = 2;
/** Width of a line in characters where the output is not a terminal. */
export const plainWidth = 140;
/** What a line has no space for, the first one first. */
const dispensable: readonly (keyof EventRow)[] = ["serialNumber", "template"];

/** The column headings, in a line of at most `width` characters. */
export function headerLine(width: number, hasAge = false): string {
  return layOut(width, hasAge, ({ heading }) => heading);
}

/**
 * An event in a line of at most `width` characters; control characters in the CA's texts are replaced. A narrow line has
 * neither serial number nor template.
 */
export function rowLine(row: EventRow, width: number): string {
  return layOut(width, row.age !== undefined, ({ name, width: columnWidth }) =>
    name === "serialNumber" ? endOf(row.serialNumber, columnWidth) : (row[name] ?? ""),
  );
}

/** Serial numbers differ at their end. */
function endOf(serial: string, width: number): string {
  return serial.length > width ? `…${serial.slice(1 - width)}` : serial;
}

function layOut(width: number, hasAge: boolean, textOf: (column: Column) => string): string {
  const shown = columnsIn(width, hasAge);
  const spare = width - lineWidth(shown);
  const cells = shown.map((column) => {
    const extra = column.name === "about" ? Math.max(0, spare) : 0;
    return cell(textOf(column), column.width + extra, column.isRight);
  });
  return cells.join(" ".repeat(gap)).trimEnd().slice(0, width);
}

function columnsIn(width: number, hasAge: boolean): readonly Column[] {
  let shown = columns.filter(({ name }) => hasAge || name !== "age");
  for (const name of dispensable) {
    if (lineWidth(shown) <= width) return shown;
    shown = shown.filter((column) => column.name !== name);
  }
  return shown;
}

function lineWidth(shown: readonly Column[]): number {
  return shown.reduce((sum, { width }) => sum + width + gap, -gap);
}

function cell(value: string, width: number, isRight = false): string {
  const clean = printable(value).replaceAll(/[\t\n]/g, "·");
  const cut = clean.length > width ? `${clean.slice(0, width - 1)}…` : clean;
  return isRight ? cut.padStart(width) : cut.padEnd(width);
}

/** The colour of the lines of a kind. */
export function colourOf(kind: string): "green" | "yellow" | "red" | "cyan" | "dim" {
  if (kind === "certificate.issued" || kind === "certificate.imported") return "green";
  if (kind === "request.pending" || kind === "certificate.unrevoked") return "yellow";
  if (kind.startsWith("crl.")) return "cyan";
  return kind.startsWith("ca.") || kind === "request.retrieved" ? "dim" : "red";
}
