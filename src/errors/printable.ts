/** What a terminal acts on instead of showing it: controls, invisible marks, and separators of lines. */
const unprintable = /[^\P{Cc}\t\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * A text that is safe to show on a terminal: each control or format character is a middle dot. Tabs and line
 * feeds stay.
 */
export function printable(text: string): string {
  return text.replaceAll(unprintable, "·");
}
