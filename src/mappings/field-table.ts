import type { CertwireEvent } from "../events/event.ts";

/** Where the value of a field comes from. */
export type FieldSource =
  /** Dotted paths in the event; the first that has a value counts. */
  | readonly string[]
  /** The same in every event. */
  | { readonly value: string | number | readonly string[] }
  /** Read by a function; `says` describes it for the reference page, in Markdown. */
  | { readonly read: (event: CertwireEvent) => unknown; readonly says: string };

/** One row of a mapping: a field of another vocabulary. `T` names its types. */
export interface Field<T extends string = string> {
  /** Dotted name. */
  readonly field: string;
  /** Type in the words of the other vocabulary. */
  readonly type: T;
  readonly from: FieldSource;
  /** True for a field that every event has. */
  readonly always?: true;
  /** What a reader has to know; Markdown. */
  readonly note?: string;
}

/** How a value takes each type of a vocabulary; `undefined` for one that cannot. */
export type Forms = Readonly<Record<string, (value: unknown) => unknown>>;

type FormOf<F extends Forms, T> = T extends keyof F ? NonNullable<ReturnType<F[T]>> : never;
type Nested<Path extends string, V, Always> = Path extends `${infer Head}.${infer Tail}`
  ? Always extends true
    ? { readonly [K in Head]: Nested<Tail, V, Always> }
    : { readonly [K in Head]?: Nested<Tail, V, Always> }
  : Always extends true
    ? { readonly [K in Path]: V }
    : { readonly [K in Path]?: V };
type Intersection<U> = (U extends unknown ? (each: U) => void : never) extends (
  all: infer I,
) => void
  ? I
  : never;
type Flat<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { [K in keyof T]: Flat<T[K]> }
    : T;

/** What a table makes of an event: objects nested as the dots say. */
export type Mapped<Table extends readonly Field[], F extends Forms> = Flat<
  Intersection<
    {
      [I in keyof Table]: Nested<
        Table[I]["field"],
        FormOf<F, Table[I]["type"]>,
        Table[I] extends { readonly always: true } ? true : false
      >;
    }[number]
  >
>;

/**
 * A function that maps events by a table. It never throws: a value that is missing, or has another type than the
 * schemas of Certwire say, leaves its field out.
 */
export function mapperOf<Table extends readonly Field[], F extends Forms>(
  table: Table,
  forms: F,
): (event: CertwireEvent) => Mapped<Table, F> {
  const rows = table.map(({ field, type, from }) => {
    const names = field.split(".");
    const form = forms[type];
    if (form === undefined) throw new TypeError(`no such type: ${type}`);
    return { parents: names.slice(0, -1), name: names.at(-1) ?? "", read: readerOf(from), form };
  });
  return (event) => {
    const mapped: Record<string, unknown> = {};
    for (const { parents, name, read, form } of rows) {
      const raw = read(event);
      const value = raw === undefined ? undefined : form(raw);
      if (value !== undefined) objectAt(mapped, parents)[name] = value;
    }
    return mapped as Mapped<Table, F>;
  };
}

/** The value at a dotted path; `undefined` if there is none. */
export function valueAt(event: CertwireEvent, path: string): unknown {
  return valueIn(event, path.split("."));
}

function readerOf(from: FieldSource): (event: CertwireEvent) => unknown {
  if ("value" in from) return () => from.value;
  if ("read" in from) return from.read;
  const paths = from.map((path) => path.split("."));
  return (event) => {
    for (const path of paths) {
      const value = valueIn(event, path);
      if (value !== undefined) return value;
    }
    return undefined;
  };
}

function valueIn(event: CertwireEvent, path: readonly string[]): unknown {
  let value: unknown = event;
  for (const name of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name))
      return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return value;
}

function objectAt(root: Record<string, unknown>, parents: readonly string[]) {
  let place = root;
  for (const name of parents) {
    place[name] ??= {};
    place = place[name] as Record<string, unknown>;
  }
  return place;
}
