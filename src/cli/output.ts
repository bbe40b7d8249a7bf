import { styleText } from "node:util";
import { CommanderError } from "commander";
import { ConfigError, formatDiagnostic } from "../config/config-error.ts";
import { CertwireError } from "../errors/certwire-error.ts";
import { printable } from "../errors/printable.ts";

/** Writes a line for people; standard output is kept for data. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

type Style = Parameters<typeof styleText>[0];

/** Colours text if the stream is a terminal and NO_COLOR is not set. */
export function styled(stream: NodeJS.WriteStream, style: Style, text: string): string {
  const isColoured = stream.isTTY && !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb";
  return isColoured ? styleText(style, text) : text;
}

/** Prints an error to standard error: its code, its messages and its hint. */
export function sayError(error: unknown): void {
  if (error instanceof CommanderError) return; // commander has already printed it
  if (error instanceof ConfigError) {
    for (const diagnostic of error.diagnostics) say(formatDiagnostic(diagnostic));
  }
  if (!(error instanceof CertwireError)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    say(`certwire: internal error, please report it: ${printable(text)}`);
    return;
  }
  say(`${styled(process.stderr, "red", "error")} ${error.code}: ${messages(error).join(": ")}`);
  say(`hint: ${printable(error.hint)}`);
}

function messages(error: Error): string[] {
  const cause = error.cause instanceof Error ? messages(error.cause) : [];
  const own = printable(error.message);
  // Some errors say in their own message what their cause says.
  return [own, ...cause.filter((text) => !own.includes(text))];
}

/** A text that others wrote, safe to show within a line. */
export function inLine(text: string): string {
  return printable(text).replaceAll(/\s+/g, " ");
}

/** Each row as a line, its columns aligned and two spaces apart. */
export function alignRows(rows: readonly (readonly string[])[]): string[] {
  const columns = rows.reduce((most, row) => Math.max(most, row.length), 0);
  const widths = Array.from({ length: columns }, (_, column) =>
    rows.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), 0),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

/**
 * A text in lines of at most `width` characters, broken at white space. A longer word has a line of its own, or is cut
 * where `cutsWords` says so.
 */
export function brokenLines(text: string, width: number, { cutsWords = false } = {}): string[] {
  const longest = cutsWords ? width : Number.POSITIVE_INFINITY;
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = "";
    }
    line = line === "" ? word : `${line} ${word}`;
    for (; line.length > longest; line = line.slice(width)) lines.push(line.slice(0, width));
  }
  return [...lines, line];
}
