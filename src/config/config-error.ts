import { CertwireError } from "../errors/certwire-error.ts";
import { printable } from "../errors/printable.ts";

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

/** All problems of a configuration file. */
export class ConfigError extends CertwireError {
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    const count = diagnostics.length === 1 ? "one problem" : `${diagnostics.length} problems`;
    super("CERTWIRE_CONFIG_INVALID", `${count} in ${diagnostics[0]?.file ?? "the configuration"}`);
    this.diagnostics = diagnostics;
  }
}

/** A diagnostic as text: place, message, source line with carets, hint. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { file, line, column, path, message, hint, frame } = diagnostic;
  const subject = path === "" ? "" : `${path}: `;
  const lines = [`${file}:${line}:${column}: ${subject}${message}`, ...frame];
  if (hint !== undefined) lines.push(`  hint: ${hint}`);
  return lines.map(printable).join("\n");
}
