import { printable } from "../errors/printable.ts";
import type { CertwireEvent } from "../events/event.ts";
import { kindOf } from "../events/event-kind.ts";
import { requestIdOf } from "../events/selection.ts";

/** An event as a line of the live view. */
export interface EventRow {
  /** UTC, `08:00:00.250`. */
  readonly time: string;
  readonly kind: string;
  readonly requestId: string;
  /** Subject, requester, or what else the event is about. */
  readonly about: string;
  readonly template: string;
  readonly serialNumber: string;
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
    template: attribute(data, "CertificateTemplate") ?? templateOf(certificate, properties),
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

/** Width of each column in characters; `about` gets the rest of the line. */
const widths = { time: 12, kind: 22, requestId: 7, template: 24, serialNumber: 14 } as const;
const gaps = 2 * Object.keys(widths).length;

/** The column headings, in a line of at most `width` characters. */
export function headerLine(width: number): string {
  return layOut(
    {
      time: "time (UTC)",
      kind: "event",
      requestId: "request",
      about: "subject, requester",
      template: "template",
      serialNumber: "serial number",
    },
    width,
  );
}

/** An event in a line of at most `width` characters; control characters in the CA's texts are replaced. */
export function rowLine(row: EventRow, width: number): string {
  const serial = row.serialNumber;
  const end =
    serial.length > widths.serialNumber ? `…${serial.slice(1 - widths.serialNumber)}` : serial;
  return layOut({ ...row, serialNumber: end }, width);
}

function layOut(row: EventRow, width: number): string {
  const fixed = Object.values(widths).reduce((sum, each) => sum + each, gaps);
  const columns = [
    cell(row.time, widths.time),
    cell(row.kind, widths.kind),
    cell(row.requestId, widths.requestId, true),
    cell(row.about, Math.max(12, width - fixed)),
    cell(row.template, widths.template),
    row.serialNumber,
  ];
  return columns.join("  ").trimEnd().slice(0, width);
}

function cell(value: string, width: number, isRight = false): string {
  const clean = printable(value).replaceAll(/[\t\n]/g, "·");
  const cut = clean.length > width ? `${clean.slice(0, width - 1)}…` : clean;
  return isRight ? cut.padStart(width) : cut.padEnd(width);
}
