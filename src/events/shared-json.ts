import { deepFrozen } from "../repeated-values.ts";

/** The JSON of values that many events share. */
const texts = new WeakMap<object, string>();

/**
 * Keeps the JSON of a value that another event has too. Nobody can change the value from then on. Not worth it for a value
 * before it is seen again.
 */
export function shared<T extends object>(value: T): T {
  if (texts.has(value)) return value;
  texts.set(value, JSON.stringify(value));
  return deepFrozen(value);
}

/**
 * What `JSON.stringify` writes for an object, where the JSON of shared values is not written again: of its members, and
 * of the entries of its lists. Throws what `JSON.stringify` throws.
 */
export function jsonOfMembers(holder: Readonly<Record<string, unknown>>): string {
  let members = "";
  for (const [key, value] of Object.entries(holder)) {
    const text = jsonOf(value);
    if (text === undefined) continue;
    members += `${members === "" ? "" : ","}${JSON.stringify(key)}:${text}`;
  }
  return `{${members}}`;
}

function jsonOf(value: unknown): string | undefined {
  if (Array.isArray(value) && value.some(isShared)) {
    return `[${value.map((entry) => textOf(entry) ?? "null").join(",")}]`;
  }
  return textOf(value);
}

function textOf(value: unknown): string | undefined {
  const known = typeof value === "object" && value !== null ? texts.get(value) : undefined;
  return known ?? JSON.stringify(value);
}

function isShared(value: unknown): boolean {
  return typeof value === "object" && value !== null && texts.has(value);
}
