/** A place in a text; line and column start at 1. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

/** Maximum characters of a source line that are shown. */
const maxShown = 100;

/** Line and column of an offset. */
export function placeOf(text: string, offset: number): TextPlace {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: offset - lineStart + 1 };
}

/** The source line of a place, and a line with `length` carets below it, or as many as fit. */
export function codeFrame(text: string, { line, column }: TextPlace, length: number): string[] {
  const source = (text.split("\n")[line - 1] ?? "").trimEnd().replaceAll("\t", " ");
  const start = column > maxShown - 20 ? column - 41 : 0;
  const shown = source.slice(start, start + maxShown);
  const caret = column - 1 - start;
  const width = Math.max(1, Math.min(length, shown.length - caret));
  const gutter = String(line);
  return [
    `  ${gutter} | ${shown}`,
    `  ${" ".repeat(gutter.length)} | ${" ".repeat(caret)}${"^".repeat(width)}`,
  ];
}
