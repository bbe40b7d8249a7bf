/** What `Date.parse` may read; it takes many more texts for a date. */
const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;

/** A text, or a number as one; not an empty text, which says nothing. */
export function asText(value: unknown): string | undefined {
  if (typeof value === "number" && Number.isFinite(value)) return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The texts of a list, each once; `undefined` if there are none. */
export function asTexts(value: unknown): readonly string[] | undefined {
  const members: readonly unknown[] = Array.isArray(value) ? value : [value];
  const texts = [...new Set(members.map(asText).filter((text) => text !== undefined))];
  return texts.length > 0 ? texts : undefined;
}

/** A list of texts as one. */
export function asJoinedText(value: unknown): string | undefined {
  return asTexts(value)?.join(", ");
}

/** An integer, also one in decimal; `undefined` above 2^53, where JSON readers round. */
export function asInteger(value: unknown): number | undefined {
  const number = typeof value === "string" && /^-?\d+$/.test(value) ? Number(value) : value;
  return Number.isSafeInteger(number) ? (number as number) : undefined;
}

/** A date and time as it is. */
export function asDate(value: unknown): string | undefined {
  return asMilliseconds(value) === undefined ? undefined : (value as string);
}

/** A date and time in ms since 1970. */
export function asMilliseconds(value: unknown): number | undefined {
  const time = typeof value === "string" && rfc3339.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}

/** A date and time in seconds since 1970, with milliseconds as a fraction. */
export function asSeconds(value: unknown): number | undefined {
  const time = asMilliseconds(value);
  return time === undefined ? undefined : time / 1000;
}
