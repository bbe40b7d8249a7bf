import { isAscii, isUtf8 } from "node:buffer";
import { CertwireError } from "../errors/certwire-error.ts";
import { type CertwireEvent, type EventKind, eventKinds } from "../events/event.ts";
import type { ReceivedMessage } from "./message.ts";

/** Attributes that every event of Certwire has, all of them texts; `sequence` only one from a journal. */
const requiredAttributes = [
  "id",
  "source",
  "type",
  "time",
  "dataschema",
  "partitionkey",
  "recordedtime",
] as const;

/** Attributes that are `true` in JSON and the text `true` in a header. */
const booleanAttributes: ReadonlySet<string> = new Set(["replayed"]);

const binaryHeader = /^ce[-_]([a-z0-9]+)$/;
const schemaPrefix = "urn:certwire:schema:";
const kindOfSchema = /^urn:certwire:schema:([a-z]+\.[a-z]+):v1$/;
const kinds: ReadonlySet<string> = new Set(eventKinds);

/**
 * The event in a message of Kafka or RabbitMQ, in structured or in binary mode. Structured JSON is also accepted
 * without a content type, since tools that copy messages may drop it. Throws CERTWIRE_MESSAGE_INVALID with the
 * reason if the message is not an event of Certwire.
 */
export function readEvent(message: Pick<ReceivedMessage, "headers" | "body">): CertwireEvent {
  const { headers, body } = message;
  const contentType = contentTypeIn(headers);
  if (/^application\/cloudevents-batch/i.test(contentType)) throw invalid("it is a batch");
  const event = isStructured(headers)
    ? objectOf(body, "the message")
    : { ...attributesIn(headers, contentType), data: objectOf(body, "the data") };
  assertEvent(event);
  return event;
}

/** True if the whole event is in the body; false if only its data is, and its attributes are in the headers. */
export function isStructured(headers: ReceivedMessage["headers"]): boolean {
  if (/^application\/cloudevents\b/i.test(contentTypeIn(headers))) return true;
  return !("ce_specversion" in headers || "ce-specversion" in headers);
}

/**
 * The kind of an event that this version knows. `undefined` for one of a later version of Certwire; its handler is
 * `otherwise`.
 */
export function knownKindOf({ dataschema }: CertwireEvent): EventKind | undefined {
  const kind = kindOfSchema.exec(dataschema)?.[1] ?? "";
  return kinds.has(kind) ? (kind as EventKind) : undefined;
}

function contentTypeIn(headers: ReceivedMessage["headers"]): string {
  return headers["content-type"] ?? "";
}

function attributesIn(headers: ReceivedMessage["headers"], contentType: string) {
  const attributes: Record<string, unknown> = {};
  for (const [header, text] of Object.entries(headers)) {
    const name = binaryHeader.exec(header)?.[1];
    if (name === undefined) continue;
    attributes[name] = booleanAttributes.has(name) && text === "true" ? true : text;
  }
  return { ...attributes, datacontenttype: contentType };
}

function objectOf(bytes: Buffer, what: string): Record<string, unknown> {
  // Most events are ASCII, which is decoded much faster.
  const encoding = isAscii(bytes) ? "latin1" : "utf8";
  if (encoding === "utf8" && !isUtf8(bytes)) throw invalid(`${what} is not UTF-8`);
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString(encoding));
  } catch (cause) {
    throw invalid(`${what} is not JSON`, cause);
  }
  if (!isObject(value)) throw invalid(`${what} is not a JSON object`);
  return value;
}

function assertEvent(
  event: Record<string, unknown>,
): asserts event is CertwireEvent & typeof event {
  if (event["specversion"] !== "1.0") throw invalid("it is not a CloudEvent of version 1.0");
  const isFromJournal = event["origin"] !== "database";
  for (const name of [...requiredAttributes, ...(isFromJournal ? ["sequence"] : [])]) {
    const value = event[name];
    if (typeof value !== "string" || value === "") throw invalid(`it has no attribute "${name}"`);
  }
  if (!String(event["dataschema"]).startsWith(schemaPrefix)) {
    throw invalid("its dataschema is not one of Certwire");
  }
  if (!isObject(event["data"])) throw invalid("its data is not a JSON object");
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(reason: string, cause?: unknown): CertwireError {
  return new CertwireError("CERTWIRE_MESSAGE_INVALID", `not an event of Certwire: ${reason}`, {
    cause,
  });
}
