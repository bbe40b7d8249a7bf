import { z } from "zod";
import type { Property, PropertyTable } from "../properties.ts";
import { shownIn } from "./detail.ts";
import { binary, dateTime, digest, hresult, integer, text } from "./values.ts";

/** The schema of a value by the type of its property; an enumeration's is made of its words. */
const forms = {
  integer,
  text,
  date: dateTime,
  binary,
  digest,
  attributes: text,
  hresult,
  flags: z.array(z.string()),
  requestType: z.string(),
} as const;

type WordOf<P> = P extends { readonly words: infer W } ? W[keyof W] | "unknown" : never;
type FormOf<P extends Property> = P["type"] extends keyof typeof forms
  ? (typeof forms)[P["type"]]
  : z.ZodType<WordOf<P>>;
type Coded = "enumeration" | "flags" | "requestType";

/** The members of an event that a table of properties describes. */
type ShapeOf<T extends PropertyTable> = {
  [N in keyof T as T[N]["key"]]: z.ZodOptional<FormOf<T[N]>>;
} & {
  [N in keyof T as T[N]["type"] extends Coded
    ? `${T[N]["key"]}Code`
    : never]: z.ZodOptional<z.ZodInt>;
} & {
  [N in keyof T as T[N]["type"] extends "hresult"
    ? `${T[N]["key"]}Symbol`
    : never]: z.ZodOptional<z.ZodString>;
} & {
  [N in keyof T as T[N]["type"] extends "requestType"
    ? `${T[N]["key"]}Flags`
    : never]: z.ZodOptional<z.ZodArray<z.ZodString>>;
};

/** The schema of a group of properties. */
export function propertyGroup<T extends PropertyTable>(table: T): z.ZodObject<ShapeOf<T>> {
  const shape: Record<string, z.ZodType> = {};
  for (const [name, property] of Object.entries(table)) {
    const { key, type, detail } = property;
    const form = formOf(property).optional().describe(`The CA's ${name}.`);
    shape[key] = detail === undefined ? form : form.meta(shownIn(detail));
    if (type === "enumeration" || type === "flags" || type === "requestType") {
      shape[`${key}Code`] = z.int().optional().describe(`The CA's ${name} as a number.`);
    }
    if (type === "hresult") shape[`${key}Symbol`] = z.string().optional();
    if (type === "requestType") shape[`${key}Flags`] = z.array(z.string()).optional();
  }
  return z.object(shape) as unknown as z.ZodObject<ShapeOf<T>>;
}

function formOf({ type, words = {} }: Property): z.ZodType {
  if (type !== "enumeration") return forms[type];
  return z.enum([...Object.values(words), "unknown"]);
}
