import type { CertwireEvent } from "../events/event.ts";
import { isOwnType } from "../events/event-kind.ts";

/** How deep an event may be nested; those of Certwire stay far below. */
const maxDepth = 64;

type Check = (value: unknown) => string | undefined;

/** What each attribute of an event must be; each check returns what is wrong. */
const attributes: Readonly<Record<string, Check>> = {
  specversion: (value) => (value === "1.0" ? undefined : 'must be "1.0"'),
  id: text,
  source: text,
  type: (value) => text(value) ?? (isOwnType(String(value)) ? undefined : "is not of Certwire"),
  subject: optional(text),
  time,
  datacontenttype: (value) =>
    value === "application/json" ? undefined : 'must be "application/json"',
  dataschema: text,
  sequence: optional(text),
  partitionkey: text,
  recordedtime: time,
  previoushash: optional(hash),
  recordhash: optional(hash),
  contentid: optional(text),
  origin: optional((value) => (value === "database" ? undefined : 'must be "database"')),
  timebasis: optional(text),
  replayed: optional((value) => (typeof value === "boolean" ? undefined : "must be a boolean")),
  data: (value) => (isObject(value) ? undefined : "must be an object"),
};

/**
 * Why a JSON value is not an event that Certwire published, so that no consumer gets one that a CloudEvents
 * library refuses; `undefined` if it is one. The names of additional attributes follow CloudEvents 1.0.
 */
export function problemOfEvent(value: unknown): string | undefined {
  if (!isObject(value)) return "not a JSON object";
  for (const [name, check] of Object.entries(attributes)) {
    const problem = check(value[name]);
    if (problem !== undefined) return `"${name}" ${problem}`;
  }
  if (value["sequence"] === undefined && value["origin"] === undefined) {
    return '"sequence" is missing';
  }
  for (const [name, extension] of Object.entries(value)) {
    if (Object.hasOwn(attributes, name)) continue;
    if (!/^[a-z0-9]+$/.test(name)) return "an attribute's name is not of a-z and 0-9";
    if (!isAttributeValue(extension)) return `"${name}" must be a string, an integer or a boolean`;
  }
  if (isDeeper(value, maxDepth)) return `nested more than ${maxDepth} levels deep`;
  return undefined;
}

/** True for an event that `problemOfEvent` finds nothing wrong with. */
export function isEvent(value: unknown): value is CertwireEvent {
  return problemOfEvent(value) === undefined;
}

/** True for a JSON object; false for a list and `null`. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(value: unknown): string | undefined {
  if (value === undefined) return "is missing";
  return typeof value === "string" && value !== "" ? undefined : "must be a text that is not empty";
}

function hash(value: unknown): string | undefined {
  return typeof value === "string" && /^[0-9a-f]{64}$/.test(value)
    ? undefined
    : "must be a SHA-256 in hex";
}

function time(value: unknown): string | undefined {
  if (value === undefined) return "is missing";
  const isTime =
    typeof value === "string" &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value) &&
    !Number.isNaN(Date.parse(value));
  return isTime ? undefined : "must be a time such as 2026-01-31T12:00:00Z";
}

function optional(check: Check): Check {
  return (value) => (value === undefined ? undefined : check(value));
}

function isAttributeValue(value: unknown): boolean {
  return typeof value === "string" || typeof value === "boolean" || Number.isInteger(value);
}

function isDeeper(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return depth === 0 || Object.values(value).some((inner) => isDeeper(inner, depth - 1));
}
