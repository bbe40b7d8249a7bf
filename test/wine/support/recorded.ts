import { decode, type TagDecodeControl } from "cborg";
import { type Frame, frameTypes, readFrames } from "./journal-frames.ts";

/**
 * A value in a form that can be compared: its kind, a colon, and the value itself (bytes as hex).
 * `long:5`, `text:abc`, `utf16:00d8`, `binary:3000`, `date:0000000000405640`, `redacted:`,
 * `digest:900 ba78...`.
 */
export type Form = string;

/** What one record of the journal or one step of a scenario says, in comparable form. */
export interface Content {
  readonly event: number;
  readonly context: number;
  readonly request: Readonly<Record<string, Form>>;
  readonly certificate: Readonly<Record<string, Form>>;
  readonly ca: Readonly<Record<string, Form>>;
  /** Name and value. */
  readonly attributes: readonly string[];
  /** OID, flags and value. */
  readonly extensions: readonly string[];
  /** Index, kind and value. */
  readonly crls: readonly string[];
  /** Name and reason, sorted. */
  readonly errors: readonly string[];
}

/** A record of the journal. */
export interface RecordedEvent extends Content {
  readonly time: bigint;
  readonly processId: number;
  readonly threadId: number;
  readonly payload: Buffer;
}

class Tagged {
  readonly form: Form;
  constructor(form: Form) {
    this.form = form;
  }
}

function hexForm(kind: string): (content: TagDecodeControl) => Tagged {
  return (content) => new Tagged(`${kind}:${hex(content())}`);
}

const tags = {
  1129775105: hexForm("utf16"),
  1129775106: hexForm("date"),
  1129775107: (content: TagDecodeControl) => new Tagged(`cut:${JSON.stringify(content())}`),
  1129775108: (content: TagDecodeControl) =>
    new Tagged(content() === null ? "redacted:" : "a secret that is not null"),
  1129775109: (content: TagDecodeControl) => {
    const [length, sha256] = content() as [number, Uint8Array];
    return new Tagged(`digest:${length} ${hex(sha256)}`);
  },
};

/** All events of a journal, in its order. */
export function readRecorded(directory: string): RecordedEvent[] {
  return eventsOf(readFrames(directory)).map(({ payload }) => decodeRecord(payload));
}

/** The EVENT frames among `frames`. */
export function eventsOf(frames: readonly Frame[]): Frame[] {
  return frames.filter((frame) => frame.type === frameTypes.event);
}

/** Decodes one record, in the strict way. */
export function decodeRecord(payload: Buffer): RecordedEvent {
  const map = decode(payload, {
    useMaps: true,
    strict: true,
    rejectDuplicateMapKeys: true,
    tags,
  }) as ReadonlyMap<string, unknown>;
  const rows = (key: string): unknown[][] => (map.get(key) ?? []) as unknown[][];
  return {
    event: map.get("event") as number,
    context: map.get("context") as number,
    time: BigInt(map.get("time") as bigint | number),
    processId: map.get("pid") as number,
    threadId: map.get("tid") as number,
    request: formsOf(map.get("request")),
    certificate: formsOf(map.get("certificate")),
    ca: formsOf(map.get("ca")),
    attributes: rows("attributes").map((row) => row.map(formOf).join(" = ")),
    extensions: rows("extensions").map((row) => row.map(formOf).join(" ")),
    crls: rows("crls").map((row) => row.map(formOf).join(" ")),
    errors: rows("errors").map(errorForm).toSorted(),
    payload,
  };
}

function errorForm([name, reason]: readonly unknown[]): string {
  const why = typeof reason === "number" ? `0x${reason.toString(16).padStart(8, "0")}` : reason;
  return `${formOf(name)} ${String(why)}`;
}

function formsOf(group: unknown): Record<string, Form> {
  const entries = [...((group ?? new Map()) as ReadonlyMap<string, unknown>)];
  return Object.fromEntries(entries.map(([name, value]) => [name, formOf(value)]));
}

function formOf(value: unknown): Form {
  if (value instanceof Tagged) return value.form;
  if (typeof value === "string") return `text:${value}`;
  if (value instanceof Uint8Array) return `binary:${hex(value)}`;
  return `long:${String(value)}`;
}

function hex(value: unknown): string {
  return Buffer.from(value as Uint8Array).toString("hex");
}
