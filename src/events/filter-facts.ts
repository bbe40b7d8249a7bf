import type { CertwireEvent, EventKind } from "./event.ts";
import { kindOf } from "./event-kind.ts";

/** What a condition compares of an event: the texts of one kind, and whether all of them are there. */
export interface Fact {
  readonly texts: readonly string[];
  /** True if there is no text because the exit module could not read it: `problems` names it. */
  readonly isUnread: boolean;
}

/** What filters know of an event. */
export interface FilterFacts {
  readonly kind: EventKind;
  /** The template, by name and OID, as the CA has it; where the CA has none, as the request asks for it. */
  readonly template: Fact;
  /** The same, and in any case what the request asks for. */
  readonly claimedTemplate: Fact;
  readonly requester: Fact;
  /** Name and id of the CA. */
  readonly ca: Fact;
}

type Group = Readonly<Record<string, unknown>>;

/** The CA's answer for a column of a certificate when there is no certificate: nothing is there to be read. */
const noCertificate = "CERTSRV_E_BAD_REQUESTSTATUS";

/** Collects what filters compare. */
export function filterFacts(event: CertwireEvent): FilterFacts {
  const { data } = event;
  const [request, certificate] = [group(data["request"]), group(data["certificate"])];
  const [requested, ca] = [group(data["requested"]), group(data["ca"])];
  const row = group(data["certificateProperties"]);
  const issued = [row["certificateTemplate"], ...templateOf(certificate)].filter(isText);
  const claimed = [...templateOf(requested), ...templateAttributes(data)].filter(isText);
  const isTemplateUnread = isUnread(data, ["certificate.CertificateTemplate"]);
  return {
    kind: kindOf(event),
    template: fact(issued.length > 0 ? issued : claimed, isTemplateUnread),
    claimedTemplate: fact([...issued, ...claimed], isTemplateUnread),
    requester: fact([request["requesterName"]], isUnread(data, ["request.RequesterName"])),
    ca: fact([ca["name"], ca["id"]], ca["name"] === undefined && isUnread(data, ["ca.Name"])),
  };
}

function fact(values: readonly unknown[], isMissing: boolean): Fact {
  const texts = values.filter(isText);
  return { texts, isUnread: isMissing && texts.length === 0 };
}

function templateOf(holder: Group): unknown[] {
  const { name, oid } = group(holder["template"]);
  return [name, oid];
}

/** The template that the requester names beside the request. */
function templateAttributes({ attributes }: Group): unknown[] {
  const all: unknown[] = Array.isArray(attributes) ? attributes : [];
  return all
    .map(group)
    .filter(({ name }) => isText(name) && name.toLowerCase() === "certificatetemplate")
    .map(({ value }) => value);
}

function isUnread({ problems }: Group, properties: readonly string[]): boolean {
  const all: unknown[] = Array.isArray(problems) ? problems : [];
  return all
    .map(group)
    .some(
      ({ property, symbol }) =>
        isText(property) && properties.includes(property) && symbol !== noCertificate,
    );
}

function group(value: unknown): Group {
  return typeof value === "object" && value !== null ? (value as Group) : {};
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}
