/**
 * True if a text is what a pattern describes, whatever the case of either: `*` stands for any number of characters,
 * every other character for itself. Takes time in proportion to the lengths of both, whatever the pattern.
 */
export function matchesPattern(text: string, pattern: string): boolean {
  const [rest, parts] = [text.toLowerCase(), pattern.toLowerCase().split("*")];
  const [first = "", last] = [parts[0], parts.length > 1 ? parts.at(-1) : undefined];
  if (last === undefined) return rest === first;
  if (!rest.startsWith(first) || !rest.endsWith(last)) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = rest.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at + last.length <= rest.length;
}
