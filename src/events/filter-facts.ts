import type { CertwireEvent, EventKind } from "./event.ts";
import { kindOf } from "./event-kind.ts";

/** What a condition compares of an event. */
export interface Fact {
  /** What is known. */
  readonly texts: readonly string[];
  /** True if there may be another text that is not in the event: `problems` names it. */
  readonly isUnread: boolean;
}

/** What filters know of an event. */
export interface FilterFacts {
  readonly kind: EventKind;
  /** The template as the CA has it: the first text is always the same for the same template. */
  readonly issuedTemplate: Fact;
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

/** Where each fact stands, in lower case: by the names of the CA, which the exit module uses, and by paths in `data`. */
const places = {
  template: [
    "certificate.certificatetemplate",
    "certificateproperties.certificatetemplate",
    "certificate.template.name",
    "certificate.template.oid",
  ],
  claimedTemplate: [
    "request.rawrequest",
    "requested.template.name",
    "requested.template.oid",
    "attributes.value",
    "attribute.certificatetemplate",
  ],
  requester: ["request.requestername"],
  ca: ["ca.name"],
};

/** Collects what filters compare. */
export function filterFacts(event: CertwireEvent): FilterFacts {
  const { data } = event;
  const [request, certificate] = [group(data["request"]), group(data["certificate"])];
  const [requested, ca] = [group(data["requested"]), group(data["ca"])];
  const row = group(data["certificateProperties"]);
  const gaps = new Gaps(data);
  const issued = gaps.fact(
    [row["certificateTemplate"], ...templateOf(certificate)],
    places.template,
  );
  const claimed = gaps.fact(
    [...templateOf(requested), ...templateAttributes(data)],
    places.claimedTemplate,
  );
  const hasIssued = issued.texts.length > 0 || issued.isUnread;
  return {
    kind: kindOf(event),
    issuedTemplate: issued,
    template: hasIssued ? issued : claimed,
    claimedTemplate: {
      texts: [...issued.texts, ...claimed.texts],
      isUnread: issued.isUnread || claimed.isUnread,
    },
    requester: gaps.fact([request["requesterName"]], places.requester),
    ca: withText(gaps.fact([ca["name"]], places.ca), ca["id"]),
  };
}

/** What an event does not show. */
class Gaps {
  readonly #problems: readonly Group[];

  constructor({ problems }: Group) {
    this.#problems = Array.isArray(problems) ? problems.map(group) : [];
  }

  /** What is known of the values at some places. One that was redacted is not the CA's any more. */
  fact(values: readonly unknown[], at: readonly string[]): Fact {
    const about = this.#problems.filter((problem) => isAbout(problem, at));
    const isRedacted = about.some(({ reason }) => reason === "redacted");
    const texts = isRedacted ? [] : values.filter(isText);
    const isUnread = texts.length === 0 && (about.length > 0 || this.#hasEnded);
    return { texts, isUnread };
  }

  /** True if the exit module stopped reading before the end, so that it could not name all that is missing. */
  get #hasEnded(): boolean {
    return this.#problems.some(
      ({ property, reason }) => property === "server" || reason === "fault",
    );
  }
}

/** True if a problem is about one of some places, or about something that holds one. */
function isAbout({ property, symbol }: Group, at: readonly string[]): boolean {
  if (!isText(property) || symbol === noCertificate) return false;
  const about = property.toLowerCase();
  return at.some((place) => place === about || place.startsWith(`${about}.`));
}

function withText({ texts, isUnread }: Fact, text: unknown): Fact {
  return { texts: [...texts, text].filter(isText), isUnread };
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

function group(value: unknown): Group {
  return typeof value === "object" && value !== null ? (value as Group) : {};
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}
