import { CertwireError } from "../errors/certwire-error.ts";
import { hideSecrets } from "./hide-secrets.ts";
import { codeFrame, placeOf } from "./source-text.ts";

/** An error or warning at one place of the configuration file. */
export interface Diagnostic {
  /** The file as named on the command line. */
  readonly file: string;
  /** Starts at 1. */
  readonly line: number;
  /** Starts at 1. */
  readonly column: number;
  /** Path of the value, such as `sinks[0].url`; empty for the file as a whole. */
  readonly path: string;
  /** What is wrong; never a secret. */
  readonly message: string;
  readonly hint?: string;
  /** The source line and carets below it, with secrets hidden. */
  readonly frame: readonly string[];
}

/** A problem whose line and column are not known yet. */
export interface Finding {
  readonly offset: number;
  readonly length: number;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly hint?: string | undefined;
  /** Set for an unknown key: its value is hidden wherever the source is shown. */
  readonly unknownKey?: string;
}

/** All problems of a configuration file. */
export class ConfigError extends CertwireError {
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    const count = diagnostics.length === 1 ? "one problem" : `${diagnostics.length} problems`;
    super("CERTWIRE_CONFIG_INVALID", `${count} in ${diagnostics[0]?.file ?? "the configuration"}`);
    this.diagnostics = diagnostics;
  }
}

/** Adds lines, columns and source lines, and sorts by place in the file. */
export function toDiagnostics(file: string, text: string, findings: Finding[]): Diagnostic[] {
  const unknownKeys = new Set(findings.flatMap(({ unknownKey }) => unknownKey ?? []));
  const safeText = hideSecrets(text, unknownKeys);
  return findings
    .toSorted((a, b) => a.offset - b.offset)
    .map(({ offset, length, path, message, hint }) => {
      const place = placeOf(text, offset);
      return {
        file,
        ...place,
        path: pathText(path),
        message,
        ...(hint === undefined ? {} : { hint }),
        frame: codeFrame(safeText, place, length),
      };
    });
}

/** A path as people write it, such as `sinks[0].url`. */
export function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    return text === "" ? String(part) : `${text}.${String(part)}`;
  }, "");
}

/** A diagnostic as text: place, message, source line with carets, hint. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { file, line, column, path, message, hint, frame } = diagnostic;
  const subject = path === "" ? "" : `${path}: `;
  const lines = [`${file}:${line}:${column}: ${subject}${message}`, ...frame];
  if (hint !== undefined) lines.push(`  hint: ${hint}`);
  return lines.join("\n");
}
