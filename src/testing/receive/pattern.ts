import { isDeepStrictEqual } from "node:util";

/** Some members of a value, at any depth; what is left out may be anything. */
export type Pattern<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [K in keyof T]?: Pattern<T[K]> }
    : T;

/**
 * The first place in which a value differs from a pattern, and how; `undefined` if it does not. A list must be equal as
 * a whole.
 */
export function differenceOf(value: unknown, pattern: unknown, path = ""): string | undefined {
  if (!isPlainObject(pattern) || !isPlainObject(value)) {
    if (isDeepStrictEqual(value, pattern)) return undefined;
    return `${path || "event"} is ${shown(value)}, not ${shown(pattern)}`;
  }
  for (const [name, wanted] of Object.entries(pattern)) {
    const inner = path === "" ? name : `${path}.${name}`;
    const difference = differenceOf(value[name], wanted, inner);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const longest = 120;

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "absent";
  return text.length > longest ? `${text.slice(0, longest)}...` : text;
}
