import { changedIndex } from "../consumer/completeness/place.ts";
import { buildEvents } from "../events/build-events.ts";
import { CaIdentity } from "../events/ca-identity.ts";
import { CaMemory } from "../events/ca-memory.ts";
import type { Detail, EventOptions } from "../events/envelope.ts";
import type { CertwireEvent, EventAttributes } from "../events/event.ts";
import { gapEvent } from "../events/gap-event.ts";
import { redactedValue } from "../events/secrets.ts";
import type { Frame } from "../journal/frame.ts";
import { decodeContent, decodeFrame, type FrameContent } from "../sources/decode-frame.ts";

/** An event to compare: its attributes, and its data as JSON. */
export interface ReadEvent {
  readonly attributes: EventAttributes;
  readonly dataText: string;
}

/**
 * What a comparison found: `same`; `partly`, for an event of which a sink redacted or left out something, and everything
 * else is the same; `unread`, if this version cannot read the record; or what differs.
 */
export type Match = "same" | "partly" | "unread" | { readonly differs: string };

/** How a service may be configured to make events. */
interface Form {
  readonly detail: Detail;
  readonly includeRawRequest: boolean;
}

const sha256 = /^[0-9a-f]{64}$/;
const caId = /^(unknown|(name-)?[0-9a-f]{64})$/;
/** What stands for a redacted value in a text. */
const replacement = /\[redacted\]|[0-9a-f]{64}/;

const attributesOfRecord = [
  "type",
  "time",
  "dataschema",
  "sequence",
  "partitionkey",
  "recordedtime",
  "previoushash",
  "recordhash",
  "contentid",
  "origin",
  "timebasis",
] as const satisfies readonly (keyof EventAttributes)[];

/**
 * Compares events with their records. A configuration decides the form of events, and is not known here: an event fits
 * if it fits in one of the forms. What only the configuration says, `source` and the prefix of `type`, is taken as it is, and
 * so is `previous` of `ca.changed`, which is from what the service remembered.
 */
export class RecordMatcher {
  /** The form that fitted last is tried first. */
  readonly #forms: Form[] = [
    { detail: "standard", includeRawRequest: false },
    { detail: "full", includeRawRequest: false },
    { detail: "standard", includeRawRequest: true },
    { detail: "full", includeRawRequest: true },
  ];
  /** Reads the certificate of the CA once, as long as it stays the same. */
  readonly #identity = new CaIdentity();

  match(frame: Frame, event: ReadEvent): Match {
    const { attributes } = event;
    const hashes = [attributes.previoushash, attributes.recordhash];
    if (hashes[0] !== frame.hashes?.previous || hashes[1] !== frame.hashes?.record) {
      return { differs: "recordhash or previoushash" };
    }
    const content = decodeContent(frame);
    if ("undecodable" in content) return "unread";
    const record = { frame, content, identity: this.#identityFor(content, event) };
    for (const [at, form] of this.#forms.entries()) {
      const made = madeOf(record, event, form);
      if (made === undefined) return { differs: "id" };
      const attribute = attributesOfRecord.find((name) => made[name] !== attributes[name]);
      if (attribute !== undefined) return { differs: attribute };
      const isSame = made.subject === attributes.subject;
      if (!isSame || JSON.stringify(made.data) !== event.dataText) continue;
      this.#forms.splice(at, 1);
      this.#forms.unshift(form);
      return "same";
    }
    return this.#matchMembers(record, event);
  }

  /** The events that a service with its defaults makes of a record, with a source; none if it cannot be decoded. */
  make(frame: Frame, source: string | undefined): readonly CertwireEvent[] {
    const options = { ...(source !== undefined && !isOwnSource(source) && { source }) };
    const decoded = decodeFrame(frame, { options, identity: this.#identity });
    return "undecodable" in decoded ? [] : decoded.events;
  }

  /** Member by member, for an event of which something is redacted or left out. */
  #matchMembers(record: RecordToMatch, event: ReadEvent): Match {
    const data = JSON.parse(event.dataText) as Members;
    const hidden = hiddenIn(data["problems"]);
    let differs = "data";
    for (const form of this.#forms) {
      const made = madeOf(record, event, form);
      if (made === undefined) return { differs: "id" };
      const plain = JSON.parse(JSON.stringify(made.data)) as Members;
      const difference = differenceOf(data, plain, "", hidden);
      const isSubject = isShown(event.attributes.subject, made.subject, hidden);
      const hasOwn = hasProblemsOf(data["problems"], plain["problems"], hidden);
      if (difference === undefined && isSubject && hasOwn && hidden.size > 0) return "partly";
      if (difference !== undefined) differs = `data.${difference}`;
      else differs = isSubject ? "data.problems" : "subject";
    }
    return { differs };
  }

  /** A record without the certificate of its CA has the id that the service knew from another one. */
  #identityFor(content: FrameContent, { attributes, dataText }: ReadEvent): CaIdentity {
    if (attributes.id.endsWith(`-${changedIndex}`)) return identityBefore(dataText);
    if ("record" in content) {
      const { ca, request } = content.record;
      const certificate = ca.get("RawCACertificate") ?? request.get("RawCACertificate");
      if (Buffer.isBuffer(certificate)) return this.#identity;
    }
    const { ca } = JSON.parse(dataText) as { ca?: { id?: unknown } | null };
    return new CaIdentity(undefined, typeof ca?.id === "string" ? ca.id : undefined);
  }
}

/** What remembers the CA that an event says was there before, so that the record makes `ca.changed` if it has another one. */
function identityBefore(dataText: string): CaIdentity {
  const { previous } = JSON.parse(dataText) as { readonly previous?: unknown };
  const { id, certificateSha256 } = Object(previous) as Members;
  const seen = {
    id: typeof id === "string" && caId.test(id) ? id : "",
    certificate:
      typeof certificateSha256 === "string" && sha256.test(certificateSha256)
        ? certificateSha256
        : "",
  };
  return new CaIdentity(new CaMemory([{ epochNumber: 0, epochId: "", sequence: 0n, ...seen }]));
}

/** True for a source that follows from the CA, so that no configuration names it. */
function isOwnSource(source: string): boolean {
  return source.startsWith("urn:certwire:ca:");
}

/** A record, decoded once for all forms. */
interface RecordToMatch {
  readonly frame: Frame;
  readonly content: FrameContent;
  readonly identity: CaIdentity;
}

/** The event that a service with a form makes of the record; `undefined` if it makes none with the same id. */
function madeOf(
  { frame, content, identity }: RecordToMatch,
  { attributes: { source, type, id } }: ReadEvent,
  form: Form,
): CertwireEvent | undefined {
  const kind = /[a-z]+\.[a-z]+\.v\d+$/.exec(type)?.[0] ?? "";
  const options: EventOptions = {
    ...form,
    ...(!isOwnSource(source) && { source }),
    typePrefix: type.slice(0, type.length - kind.length),
  };
  const events =
    "gap" in content
      ? [gapEvent(frame, content.gap, identity.resolve(frame).id, options)]
      : buildEvents(frame, content.record, identity, options);
  return events.find((event) => event.id === id);
}

type Members = Readonly<Record<string, unknown>>;

type HiddenReason = "redacted" | "omitted";
/** By its path: why a sink did not show a member as it was. */
type Hidden = ReadonlyMap<string, ReadonlySet<HiddenReason>>;

function hiddenIn(problems: unknown): Hidden {
  const hidden = new Map<string, Set<HiddenReason>>();
  for (const each of Array.isArray(problems) ? (problems as unknown[]) : []) {
    const { property, reason } = Object(each) as { property?: unknown; reason?: unknown };
    if ((reason !== "redacted" && reason !== "omitted") || typeof property !== "string") continue;
    // A place in a list is part of some paths, and not of others.
    const path = property.replaceAll(/\.\d+(?=\.|$)/g, "");
    hidden.set(path, (hidden.get(path) ?? new Set()).add(reason));
  }
  return hidden;
}

/** True if the problems that are not of a sink are those of the record; a sink that lacks space may leave them all out. */
function hasProblemsOf(shown: unknown, made: unknown, hidden: Hidden): boolean {
  if (hidden.get("problems")?.has("omitted")) return true;
  const [own, others] = [shown, made].map((problems) =>
    (Array.isArray(problems) ? (problems as unknown[]) : [])
      .map((each) => Object(each) as Members)
      .filter(({ reason }) => reason !== "redacted" && reason !== "omitted"),
  ) as [Members[], Members[]];
  return (
    own.length === others.length && own.every((each, at) => isProblemOf(each, others[at] ?? {}))
  );
}

/** A sink may leave out the value that a problem has, or hide parts of its texts. */
function isProblemOf(shown: Members, made: Members): boolean {
  const named = ["property", "reason"].every((key) => key in shown);
  return (
    named &&
    Object.entries(shown).every(
      ([key, value]) => value === made[key] || (key !== "reason" && isRedacted(value, made[key])),
    )
  );
}

/** The path of the first difference that nothing explains. */
function differenceOf(
  one: unknown,
  other: unknown,
  path: string,
  hidden: Hidden,
): string | undefined {
  if (one === other || path === "problems") return undefined;
  const reasons = hidden.get(path);
  // A text that was left out of a list is null.
  if (reasons !== undefined && (one === undefined || one === null)) return undefined;
  if (reasons?.has("redacted") && isRedacted(one, other)) return undefined;
  if (Array.isArray(one) && Array.isArray(other) && one.length === other.length) {
    return firstOf(one.keys(), (at) => differenceOf(one[at], other[at], path, hidden));
  }
  if (isMembers(one) && isMembers(other)) {
    const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
    return firstOf(keys, (key) => {
      const inner = path === "" ? key : `${path}.${key}`;
      return differenceOf(one[key], other[key], inner, hidden);
    });
  }
  return path;
}

/** True if `shown` is what a sink makes of a value that it removes, hashes, or replaces in part. */
function isRedacted(shown: unknown, value: unknown): boolean {
  if (typeof shown !== "string" || value === undefined) return false;
  if (shown === redactedValue || sha256.test(shown)) return true;
  return typeof value === "string" && isPartOf(shown, value);
}

/** True if the text is the other one, with what stands for redacted values in the place of some of its parts. */
function isPartOf(shown: string, value: string): boolean {
  const pieces = shown.normalize("NFC").split(replacement);
  const [first = "", last = ""] = [pieces[0], pieces.at(-1)];
  const text = value.normalize("NFC");
  const isAtEnds = text.startsWith(first) && text.endsWith(last);
  let at = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, at);
    if (found === -1) return false;
    at = found + piece.length;
  }
  return pieces.length > 1 && isAtEnds && at + last.length <= text.length;
}

/** True if the subject is that of the record, as a sink shows it. */
function isShown(subject: string | undefined, made: string | undefined, hidden: Hidden): boolean {
  if (subject === made) return true;
  const isAnyRedacted = [...hidden.values()].some((reasons) => reasons.has("redacted"));
  return isAnyRedacted && isRedacted(subject, made);
}

function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function firstOf<T>(values: Iterable<T>, find: (value: T) => string | undefined) {
  for (const value of values) {
    const found = find(value);
    if (found !== undefined) return found;
  }
  return undefined;
}
