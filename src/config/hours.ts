/** Minutes since midnight of a time such as `02:00`; `undefined` for another text. */
export function minuteOf(text: string): number | undefined {
  const [, hour, minute] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text) ?? [];
  return hour === undefined ? undefined : Number(hour) * 60 + Number(minute);
}

/** The hours of a day that a text such as `22:00-06:00` names, in minutes since midnight; `undefined` for another text. */
export function parseHours(
  text: string,
): { readonly from: number; readonly to: number } | undefined {
  const [from, to, ...more] = text.split("-").map(minuteOf);
  if (from === undefined || to === undefined || more.length > 0) return undefined;
  return { from, to };
}
