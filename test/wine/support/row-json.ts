import type { ExitRecord } from "../../../src/exit/record.ts";

/** A record as JSON can carry it: binary values are `{"hex": ...}`. */
export type RowJson = Readonly<Record<string, unknown>>;

/** What a row of the database and a record of the exit module have in common. */
export function rowJson(row: ExitRecord): RowJson {
  const { event, context, request, certificate, ca, attributes, extensions, problems } = row;
  const whole = { event, context, request, certificate, ca, attributes, extensions, problems };
  return plainJson(whole) as RowJson;
}

/** Maps as objects, buffers as `{"hex": ...}`. */
export function plainJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, plain));
}

function plain(this: Readonly<Record<string, unknown>>, key: string, value: unknown): unknown {
  // JSON.stringify has already made something else of a Buffer.
  const own = this[key];
  if (Buffer.isBuffer(own)) return { hex: own.toString("hex") };
  return value instanceof Map ? Object.fromEntries(value) : value;
}
